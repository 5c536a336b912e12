"""What the demonstration's host and guest say. `H` lines are the host's, `G` lines the guest's."""

EPISODES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "How a voice is made",
        (
            ("H", "Good evening, and welcome back to the workshop. Tonight we talk about how a voice is made."),
            ("H", "Every long recording holds a great deal of speech, and most of it belongs to somebody else."),
            ("G", "That is the hard part. You have to know who is speaking before you can learn from anyone."),
            ("H", "Exactly. The first machine we bought cost $350, and it could not tell a trumpet from a teacher."),
            ("H", "We kept it in the kitchen for eleven months. It listened to the kettle and learned nothing at all."),
            ("G", "I remember the kettle. It was the most patient guest you ever had on this programme."),
            ("H", "In 1984 my father recorded the whole village with a single microphone and a box of old tapes."),
            ("H", "He asked every person the same three questions, and he wrote the answers down by hand."),
            ("G", "Did anyone refuse to answer him? I would have asked what the tapes were for."),
            ("H", "Two people did, and their tapes stayed empty. He said that a voice belongs to the one who speaks."),
            ("H", "That is why we ask first. Without a clear yes, there is nothing here for anyone to build."),
            ("G", "A good rule. It costs you some recordings, but it lets everybody sleep at night."),
            ("H", "Dr. Miller will join us next week to explain what the wind does to an open window."),
            ("H", "Until then, keep your windows closed and your questions open. Thank you for listening."),
        ),
    ),
    (
        "The quiet between the words",
        (
            ("H", "Welcome to the workshop. This evening is about silence, and about the people who remove it."),
            ("G", "I removed some of it myself this morning. It took me almost 20 minutes to find the right place."),
            ("H", "A pause is never empty. The room keeps talking, very softly, long after the speaker has stopped."),
            ("H", "If you cut too early, the last word loses its ending, and the sentence falls off a cliff."),
            ("G", "And if you cut too late, you catch the breath of the next person. Nobody likes that sound."),
            ("H", "Our first rule is simple. We look for the deepest valley between two words, and we cut there."),
            ("H", "About 95% of the time that is enough. The rest of the time we throw the sentence away."),
            ("G", "Throwing things away is half of the craft. My teacher kept 3 minutes out of every hour."),
            ("H", "She was right to do it. A short, clean recording teaches more than a long and muddy one."),
            ("H", "On March 4 we opened the archive, and on the first day 212 people came to listen."),
            ("G", "One of them stayed until midnight. He was looking for the voice of his grandmother."),
            ("H", "We found her on the last tape, between a weather report and a recipe for apple cake."),
            ("H", "He laughed, and then he was silent for a while. That was the best pause of the whole year."),
            ("H", "That is all for tonight. Be kind to the quiet parts, and we will meet again next week."),
        ),
    ),
)

ENROLMENT = (
    "This is the voice of the workshop. I read this passage so that a machine can find me among other speakers. "
    "The morning was bright, the harbour was calm, and seven boats waited for the tide."
)
