"""Words that are not said as they are written: abbreviations, units, currencies, symbols."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Abbreviations that need their full stop, and those that are known without it.
DOTTED: dict[str, str] = {
    "adm": "admiral",
    "approx": "approximately",
    "apr": "april",
    "apt": "apartment",
    "assn": "association",
    "asst": "assistant",
    "aug": "august",
    "ave": "avenue",
    "blvd": "boulevard",
    "bros": "brothers",
    "capt": "captain",
    "cf": "compare",
    "ch": "chapter",
    "cmdr": "commander",
    "co": "company",
    "col": "colonel",
    "corp": "corporation",
    "cpl": "corporal",
    "dec": "december",
    "dept": "department",
    "ed": "editor",
    "eds": "editors",
    "esq": "esquire",
    "est": "established",
    "feb": "february",
    "fig": "figure",
    "fri": "friday",
    "gen": "general",
    "gov": "governor",
    "hon": "honorable",
    "hwy": "highway",
    "inc": "incorporated",
    "jan": "january",
    "jul": "july",
    "jun": "june",
    "lt": "lieutenant",
    "ltd": "limited",
    "maj": "major",
    "mar": "march",
    "mon": "monday",
    "mt": "mount",
    "mts": "mountains",
    "nov": "november",
    "oct": "october",
    "pp": "pages",
    "pres": "president",
    "prof": "professor",
    "pt": "part",
    "pvt": "private",
    "rd": "road",
    "rep": "representative",
    "rev": "reverend",
    "sat": "saturday",
    "sec": "section",
    "sen": "senator",
    "sep": "september",
    "sept": "september",
    "sgt": "sergeant",
    "sun": "sunday",
    "supt": "superintendent",
    "thu": "thursday",
    "thurs": "thursday",
    "tue": "tuesday",
    "tues": "tuesday",
    "univ": "university",
    "vol": "volume",
    "wed": "wednesday",
}
UNDOTTED: dict[str, str] = {
    "dr": "doctor",
    "etc": "et cetera",
    "jr": "junior",
    "messrs": "messers",
    "mr": "mister",
    "mrs": "missus",
    "ms": "miz",
    "sr": "senior",
    "st": "saint",
    "vs": "versus",
}
# Two readings each: what stands for it in speech, then its letters.
LATIN: dict[str, tuple[str, ...]] = {
    "e.g": ("for example", "e g"),
    "eg": ("for example", "e g"),
    "i.e": ("that is", "i e"),
    "ie": ("that is", "i e"),
    "et al": ("et al",),
    "a.k.a": ("a k a", "also known as"),
    "v": ("versus", "v"),
    "c": ("circa",),
}
# After these a sentence may well end; after the other abbreviations it does not.
MAY_END_SENTENCE = _words(
    "etc a.m p.m inc ltd co corp jr sr esq ave blvd rd st dept u.s u.k u.n u.s.a d.c e.u ph.d b.c a.d"
)
STREET_OR_SAINT: dict[str, tuple[str, str]] = {"st": ("saint", "street"), "dr": ("doctor", "drive")}

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
# "may" and "march" are verbs too, but not before a number. "sept" is more usual than "sep".
MONTH_NAMES: dict[str, str] = {name: name for name in MONTHS} | {name[:3]: name for name in MONTHS}
MONTH_NAMES["sept"] = "september"

# Sign: one, many, and the same of its hundredth.
CURRENCIES: dict[str, tuple[str, str, str, str]] = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "₩": ("won", "won", "jeon", "jeon"),
    "₽": ("ruble", "rubles", "kopeck", "kopecks"),
    "₿": ("bitcoin", "bitcoin", "satoshi", "satoshis"),
}
COUNTRIES: dict[str, str] = {
    "US": "u s",
    "A": "australian",
    "AU": "australian",
    "C": "canadian",
    "CA": "canadian",
    "NZ": "new zealand",
    "HK": "hong kong",
    "S": "singapore",
}
MAGNITUDES: dict[str, str] = {
    "k": "thousand",
    "m": "million",
    "mm": "million",
    "mn": "million",
    "mil": "million",
    "b": "billion",
    "bn": "billion",
    "t": "trillion",
    "tn": "trillion",
}
MAGNITUDE_WORDS = _words("hundred thousand million billion trillion quadrillion grand")

# Unit: one, many. Upper and lower case count where both exist.
UNITS: dict[str, tuple[str, str]] = {
    "km": ("kilometer", "kilometers"),
    "kms": ("kilometer", "kilometers"),
    "m": ("meter", "meters"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "mi": ("mile", "miles"),
    "ft": ("foot", "feet"),
    "in": ("inch", "inches"),
    "yd": ("yard", "yards"),
    "yds": ("yard", "yards"),
    "kg": ("kilogram", "kilograms"),
    "kgs": ("kilogram", "kilograms"),
    "g": ("gram", "grams"),
    "mg": ("milligram", "milligrams"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "l": ("liter", "liters"),
    "L": ("liter", "liters"),
    "ml": ("milliliter", "milliliters"),
    "mph": ("mile per hour", "miles per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"),
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "m/s": ("meter per second", "meters per second"),
    "mpg": ("mile per gallon", "miles per gallon"),
    "rpm": ("r p m", "r p m"),
    "bpm": ("beat per minute", "beats per minute"),
    "KB": ("kilobyte", "kilobytes"),
    "kB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "PB": ("petabyte", "petabytes"),
    "kbps": ("kilobit per second", "kilobits per second"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "dB": ("decibel", "decibels"),
    "db": ("decibel", "decibels"),
    "W": ("watt", "watts"),
    "kW": ("kilowatt", "kilowatts"),
    "MW": ("megawatt", "megawatts"),
    "GW": ("gigawatt", "gigawatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "V": ("volt", "volts"),
    "mAh": ("milliamp hour", "milliamp hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "h": ("hour", "hours"),
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "sec": ("second", "seconds"),
    "secs": ("second", "seconds"),
    "s": ("second", "seconds"),
    "ms": ("millisecond", "milliseconds"),
    "yr": ("year", "years"),
    "yrs": ("year", "years"),
    "px": ("pixel", "pixels"),
    "°": ("degree", "degrees"),
    "°F": ("degree fahrenheit", "degrees fahrenheit"),
    "°C": ("degree celsius", "degrees celsius"),
    "'": ("foot", "feet"),
    '"': ("inch", "inches"),
    "¢": ("cent", "cents"),
    "p": ("penny", "pence"),
    "%": ("percent", "percent"),
    "m2": ("square meter", "square meters"),
    "km2": ("square kilometer", "square kilometers"),
    "ft2": ("square foot", "square feet"),
    "m3": ("cubic meter", "cubic meters"),
}
# Units that are words or letters of their own: only after a number and a space are they sure to be units.
APART = _words(
    "km kms cm mm mi ft yd yds kg kgs mg lb lbs oz ml mph kph km/h m/s mpg KB kB MB GB TB PB kbps Mbps Gbps Hz kHz MHz "
    "GHz dB db kW MW GW kWh mAh hr hrs min mins sec secs ms yr yrs px ° °F °C ¢ m2 km2 ft2 m3"
)

SYMBOLS: dict[str, str] = {
    "&": "and",
    "+": "plus",
    "@": "at",
    "=": "equals",
    "%": "percent",
    "×": "times",
    "÷": "divided by",
    "±": "plus or minus",
    "°": "degrees",
    "§": "section",
    "#": "number",
    "$": "dollars",
    "£": "pounds",
    "€": "euros",
}

# Said as words although written in capitals, and unknown to the dictionary, which speaks of 1998.
ACRONYMS = _words("covid fomo yolo gif nasdaq opec pepfar potus scotus flotus swat wasp bafta sars")
# Written in capitals these are letters, though the same letters are a word.
INITIALISMS = _words("ai cd dc est eu hr id ip it la mc md ms os pa pm pr st tv uk un us")
IRREGULAR: dict[str, tuple[str, ...]] = {
    "aka": ("a k a", "also known as"),
    "asap": ("a s a p", "asap"),
    "covid": ("covid",),
    "diy": ("d i y",),
    "faq": ("f a q",),
    "fyi": ("f y i", "for your information"),
    "gif": ("gif", "jif"),
    "html5": ("h t m l five",),
    "ios": ("i o s",),
    "jpeg": ("jay peg",),
    "jpg": ("jay peg",),
    "mp3": ("m p three",),
    "mp4": ("m p four",),
    "ok": ("okay",),
    "omg": ("o m g", "oh my god"),
    "ph.d": ("p h d",),
    "phd": ("p h d",),
    "sql": ("sequel", "s q l"),
    "tbd": ("t b d",),
    "url": ("u r l",),
    "usb": ("u s b",),
    "w/": ("with",),
    "w/o": ("without",),
    "wi-fi": ("wifi",),
    "www": ("w w w",),
    "24/7": ("twenty four seven",),
    "9/11": ("nine eleven",),
    "c#": ("c sharp",),
    "f#": ("f sharp",),
    "p.s": ("p s",),
    "r&b": ("r and b",),
}

# What a Roman numeral is read as after these: a number. After a monarch's name it is an ordinal.
NUMBERED = _words(
    "act appendix article book bowl chapter class episode figure grade level mark part phase scene season section "
    "stage table title type volume war"
)
MONARCHS = _words(
    "alexander alfonso benedict carlos catherine charles christian clement edward elizabeth felipe ferdinand francis "
    "frederick george gregory gustav harald henry innocent ivan james john juan leo louis mary napoleon nicholas otto "
    "paul peter philip pius ramesses ramses richard robert urban wilhelm william"
)

# Domains: said as a word, or letter by letter.
DOMAINS: dict[str, str] = {
    **{name: name for name in _words("com net org gov info link live news show social edu")},
    "app": "app",
    "biz": "biz",
    "blog": "blog",
    "club": "club",
    "co": "co",
    "dev": "dev",
    "host": "host",
    "int": "int",
    "me": "me",
    "mil": "mil",
    "online": "online",
    "podcast": "podcast",
    "pub": "pub",
    "shop": "shop",
    "site": "site",
    "studio": "studio",
    "tech": "tech",
    "to": "to",
    "world": "world",
    "be": "be",
    "ly": "l y",
    "ai": "a i",
    "au": "a u",
    "ca": "c a",
    "cc": "c c",
    "de": "d e",
    "eu": "e u",
    "fm": "f m",
    "fr": "f r",
    "gg": "g g",
    "ie": "i e",
    "io": "i o",
    "nl": "n l",
    "nz": "n z",
    "tv": "t v",
    "uk": "u k",
    "us": "u s",
    "xyz": "x y z",
}

# Sounds that captions describe; in round brackets or asterisks they are not speech.
SOUNDS = _words(
    "applause applauding applauds audible beep beeping beeps bleep bleeps breathes breathing cheering cheers chuckle "
    "chuckles chuckling clapping claps clears cough coughing coughs cries crosstalk crying exhales foreign gasp gasps "
    "giggle giggles giggling groan groans humming hums inaudible indiscernible indistinct inhales instrumental jingle "
    "laugh laughing laughs laughter moans music musical mumbles muttering noise overlapping pause pauses ringing rings "
    "scoffs screaming screams shouting sigh sighing sighs silence singing sings sneeze sneezes sniff sniffs snorts "
    "sobbing sobs static throat unintelligible whispering whispers whistles whistling yawns"
)
