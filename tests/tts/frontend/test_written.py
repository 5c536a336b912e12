"""What is said of what is written: the readings that a listener would expect of someone who reads aloud."""

import pytest

from transforms.text.spoken import tokenise
from tts.frontend.written import as_tokenised

READ_ALOUD = [
    # Money
    ("$3.50", "three dollars and fifty cents"),
    ("$1.2 billion", "one point two billion dollars"),
    ("£5m", "five million pounds"),
    ("€99", "ninety nine euros"),
    ("US$84,000", "eighty four thousand u s dollars"),
    ("$5/month", "five dollars per month"),
    ("$10-20", "ten to twenty dollars"),
    ("$0.99", "ninety nine cents"),
    ("¥500", "five hundred yen"),
    ("50p", "fifty pence"),
    # Numbers
    ("1,234,567", "one million two hundred thirty four thousand five hundred sixty seven"),
    ("1 000 000", "one million"),
    ("3\u00a0250", "three thousand two hundred fifty"),
    ("3.14", "three point one four"),
    ("25%", "twenty five percent"),
    ("-3", "minus three"),
    ("±3", "plus or minus three"),
    ("~50", "about fifty"),
    ("007", "zero zero seven"),
    ("10^6", "ten to the power of six"),
    ("2 + 2 = 4", "two plus two equals four"),
    ("5 x 3", "five by three"),
    ("3/4 cup", "three quarters cup"),
    ("1 1/2 cups", "one and a half cups"),
    ("2½ hours", "two and a half hours"),
    ("pages 10-12", "pages ten to twelve"),
    ("5:1", "five to one"),
    ("v2.3.1", "version two point three point one"),
    ("10K", "ten thousand"),
    ("1.5M", "one point five million"),
    # Ordinals
    ("21st", "twenty first"),
    ("10,000th", "ten thousandth"),
    ("12th-century", "twelfth century"),
    # Years, dates
    ("1984", "nineteen eighty four"),
    ("in 2005 and 1900", "in two thousand five and nineteen hundred"),
    ("the 1990s", "the nineteen nineties"),
    ("1939–45", "nineteen thirty nine to forty five"),
    ("2024-01-25", "january twenty fifth twenty twenty four"),
    ("4/3/2023", "april third twenty twenty three"),
    ("March 4, 2023", "march fourth twenty twenty three"),
    ("4 March 2023", "the fourth of march twenty twenty three"),
    ("on the 1st May", "on the first of may"),
    ("Jan. 5th", "january fifth"),
    ("Mon. to Fri.", "monday to friday"),
    # Times
    ("10:30 a.m.", "ten thirty a m"),
    ("at 5pm", "at five p m"),
    ("9:05", "nine oh five"),
    ("14:00", "fourteen hundred"),
    ("7 a.m.-5 p.m.", "seven a m to five p m"),
    # Units
    ("5 km", "five kilometers"),
    ("5 m", "five meters"),
    ("70 mph", "seventy miles per hour"),
    ("20°C", "twenty degrees celsius"),
    ("-5 °F", "minus five degrees fahrenheit"),
    ("6'2\"", "six foot two"),
    ("16GB", "sixteen gigabytes"),
    ("240 V", "two hundred forty volts"),
    ("1 lb", "one pound"),
    # Names and abbreviations
    ("Dr. Smith", "doctor smith"),
    ("St. John St.", "saint john street"),
    ("No. 5", "number five"),
    ("No. That is all.", "no that is all"),
    ("e.g. this", "for example this"),
    ("Ph.D.", "p h d"),
    ("J.R.R. Tolkien", "j r r tolkien"),
    ("Louis XIV", "louis the fourteenth"),
    ("World War II", "world war two"),
    ("parts II and III", "parts two and three"),
    # Initialisms
    ("FBI", "f b i"),
    ("NASA", "nasa"),
    ("AT&T", "a t and t"),
    ("C++", "c plus plus"),
    ("MP3", "m p three"),
    ("COVID-19", "covid nineteen"),
    ("3 p.m. EST", "three p m e s t"),
    # Addresses, telephones
    ("https://example.com/path", "example dot com slash path"),
    ("me@example.com", "me at example dot com"),
    ("555-0123", "five five five zero one two three"),
    ("(555) 123-4567", "five five five one two three four five six seven"),
    ("+1 555 123 4567", "plus one five five five one two three four five six seven"),
    ("192.168.1.1", "one hundred ninety two dot one hundred sixty eight dot one dot one"),
    # What an editor adds
    ("as it was [sic] told [12]", "as it was sic told"),
    ("♪ la la ♪", "la la"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "spoken"), READ_ALOUD)
def test_it_is_read_aloud(written: str, spoken: str) -> None:
    tokens = tokenise(as_tokenised(written))
    assert " ".join(word for token in tokens for word in token.spoken) == spoken


def test_other_text_stays_as_it_is() -> None:
    text = "He said: 'I may, in 12 days, march 300 miles (or 2 555 people)'; 2 x he."
    assert as_tokenised(text) == text
