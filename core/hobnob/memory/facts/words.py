"""The words that the rules know. Data alone; English."""


def word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


NOBODY = word_set(
    # What stands after "call me" or "I'm" with a capital or in a hurry and is nobody's name.
    """mr mrs ms dr sir a about afraid all alone already always an angry any anything around as
    asleep at away awake awesome awful back bad because before better bi bored both busy by
    calm captain chill cold confused cool crazy curious daddy dead depressed dizzy done down
    drunk dumb early excited exhausted fine for free freezing from full gay glad going gonna
    good great guilty happy here home honored hot hungry hurt i if ill impressed in insane
    inside interested into it jealous jk just kidding late later lazy lesbian like lol lonely
    lost lucky mad maybe me mean mine mistaken mommy my neutral never new nervous nice no
    nobody not nothing irrelevant unimportant secret unknown weird pronounced taken written
    private now off ok okay old on online open out outside over people please pleased poor
    proud queer ready really relaxed rich right sad safe scared shocked shy sick silly single
    so some someone sorry starving still straight stressed stuck stupid sure surprised sweet
    sweating tall terrible that thankful thanks the there thirsty this tired to today tomorrow
    tonight too trans trying ugly unhappy up upset vegan vegetarian very well what when
    whatever when where who why with wondering working worried wrong you young your yours"""
)

CALENDAR = word_set(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may
    june july august september october november december christmas easter halloween
    thanksgiving ramadan hanukkah diwali aries taurus gemini cancer leo virgo libra scorpio
    sagittarius capricorn aquarius pisces"""
)

PRODUCTS = word_set(
    # Written with a capital, and neither somebody nor somewhere.
    """google instagram facebook siri alexa discord telegram whatsapp mastodon twitter reddit
    youtube netflix tiktok spotify linux ubuntu windows mac macos ios android excel word python
    java javascript rust github gmail"""
)

NATIONALITIES = word_set(
    """afghan african albanian algerian american arab argentinian armenian asian australian
    austrian bangladeshi basque belarusian belgian bolivian bosnian brazilian british
    bulgarian cambodian canadian catalan chilean chinese colombian croatian cuban czech danish
    dutch ecuadorian egyptian english estonian ethiopian european filipino finnish french
    georgian german ghanaian greek haitian hungarian icelandic indian indonesian iranian iraqi
    irish israeli italian jamaican japanese jordanian kazakh kenyan korean kurdish latvian
    lebanese lithuanian luxembourgish malaysian maltese mexican moldovan mongolian moroccan
    nepali nigerian norwegian pakistani palestinian persian peruvian polish portuguese
    romanian russian scottish senegalese serbian singaporean slovak slovenian somali spanish
    sudanese swedish swiss syrian taiwanese thai tunisian turkish ukrainian uruguayan
    venezuelan vietnamese welsh"""
)

BELIEFS = word_set(
    """agnostic atheist buddhist catholic christian hindu jewish lutheran mormon muslim orthodox
    pagan protestant quaker sikh taoist"""
)

LANGUAGES = word_set(
    """afrikaans albanian amharic arabic armenian asl basque belarusian bengali bosnian bulgarian
    burmese cantonese catalan chinese croatian czech danish dutch english esperanto estonian
    farsi finnish french galician georgian german greek gujarati hausa hebrew hindi hungarian
    icelandic igbo indonesian irish italian japanese javanese kannada kazakh khmer korean
    kurdish latin latvian lithuanian macedonian malay malayalam maltese mandarin marathi
    mongolian nepali norwegian pashto persian polish portuguese punjabi quechua romanian
    russian serbian slovak slovenian somali spanish swahili swedish tagalog tamil telugu thai
    tibetan turkish ukrainian urdu uzbek vietnamese welsh yiddish yoruba zulu"""
)

JOBS = word_set(
    # The last word of an occupation: "a software engineer" is one because of its engineer.
    """accountant actor actress administrator analyst apprentice architect artist assistant
    astronomer attorney author baker banker barber barista bartender biologist bookkeeper
    bricklayer broker builder butcher carer caretaker carpenter cashier chef chemist
    chiropractor cleaner clerk coach consultant contractor cook counselor counsellor dancer
    dentist designer detective developer dietitian director doctor driver ecologist economist
    editor electrician engineer entrepreneur farmer filmmaker firefighter fisherman florist
    freelancer gardener geologist gp hairdresser historian housewife illustrator inspector
    instructor intern interpreter investor janitor jeweller jeweler journalist judge lawyer
    lecturer librarian lifeguard locksmith machinist magistrate manager marketer masseuse
    mathematician mechanic midwife miner model musician nanny neurologist notary novelist
    nurse nutritionist officer optician optometrist painter paralegal paramedic pastor
    pathologist pediatrician pharmacist photographer physician physicist physiotherapist pilot
    plumber poet policeman policewoman politician postdoc priest principal producer professor
    programmer psychiatrist psychologist publisher realtor receptionist recruiter reporter
    researcher sailor salesman salesperson salesperson saleswoman scientist sculptor
    seamstress secretary singer soldier solicitor songwriter statistician stylist supervisor
    surgeon surveyor sysadmin tailor tattooist teacher technician therapist trader trainer
    translator tutor upholsterer vet veterinarian waiter waitress webdesigner student
    undergraduate pensioner sophomore freshman welder writer zookeeper"""
)

DIETS = word_set(
    """vegan vegetarian pescatarian gluten-free lactose-intolerant gluten-intolerant"""
)

CONDITIONS = word_set(
    # The last word of a condition that stays: no headache, no cold.
    """adhd add aids als anemia anaemia anxiety arrhythmia arthritis asthma autism bipolar cancer
    celiac coeliac crohn's cystic-fibrosis dementia depression diabetes dyscalculia dyslexia
    dyspraxia eczema endometriosis epilepsy fibromyalgia glaucoma hemophilia hiv
    hyperthyroidism hypothyroidism ibs insomnia intolerance leukemia lupus lymphoma migraines
    narcolepsy ocd osteoporosis parkinson's pcos pots psoriasis ptsd rosacea schizophrenia
    sclerosis scoliosis tinnitus tourette's vertigo"""
)

TRAITS = word_set(
    # What a body or a mind is for good.
    """anemic asthmatic autistic bipolar blind celiac coeliac colorblind colourblind color-blind
    colour-blind deaf diabetic dyslexic epileptic left-handed neurodivergent right-handed
    ambidextrous"""
)

FEELINGS = word_set(
    """afraid angry annoyed anxious ashamed bored burnt-out confused depressed desperate
    devastated disappointed elated embarrassed exhausted excited frustrated furious grateful
    grumpy happy heartbroken homesick hopeful hopeless hurt irritated jealous lonely mad
    miserable nervous optimistic overwhelmed pessimistic proud relaxed relieved restless sad
    scared stressed stressed-out tense terrified thrilled tired unhappy upset worn-out worried"""
)

ONE_OF = word_set(
    # Relations of which a person has one at a time: a new name replaces the old one.
    """mother mom mum mam mama mommy mummy father dad papa daddy wife hubby husband partner spouse
    boyfriend girlfriend bf gf fiance fiancé fiancee fiancée boss manager supervisor therapist
    psychiatrist landlord landlady doctor gp dentist"""
)
PARTNERS = word_set(
    """wife husband partner spouse boyfriend girlfriend bf gf fiance fiancé fiancee fiancée hubby"""
)
PETS = word_set(
    """bird bunny budgie canary cat chicken chinchilla cockatiel cow dog dogs doggo duck ferret
    fish frog gecko gerbil goat goldfish goose hamster hedgehog horse iguana kitten kitty
    lizard mouse parakeet parrot pet pig pony pup puppy rabbit rat retriever sheep snake
    spaniel terrier tortoise turtle poodle pug labrador lab corgi dachshund husky beagle
    bulldog collie chihuahua"""
)
KIN = word_set(
    """aunt auntie baby bestie bff brother child classmate colleague cousin coworker co-worker
    crush daughter daughter-in-law ex ex-boyfriend ex-girlfriend ex-husband ex-wife father-
    in-law flatmate friend godchild goddaughter godfather godmother godson grandad grandchild
    grandchildren granddad granddaughter grandfather grandma grandmother grandpa grandparents
    grandson granny kid mentor mother-in-law nan nana neighbor neighbour nephew niece pal
    parents roommate sibling sister sister-in-law son son-in-law stepbrother stepdad
    stepdaughter stepfather stepmom stepmother stepsister stepson twin uncle"""
)
MANY_OF = word_set(
    """brothers cats children cousins daughters dogs grandchildren grandkids kids kittens nephews
    nieces pets puppies rabbits siblings sisters sons stepkids twins"""
)

OWN = (
    # What one "has": not a friend, whom one only mentions.
    (KIN | PARTNERS | MANY_OF | PETS)
    - word_set(
        """friend bestie bff classmate colleague coworker co-worker crush mentor neighbor
        neighbour pal parents ex ex-boyfriend ex-girlfriend ex-husband ex-wife roommate
        flatmate chicken fish pet"""
    )
)

SETTLEMENTS = word_set(
    """apartment area borough building bungalow cabin caravan city condo cottage countryside
    country district dorm farm farmhouse flat house houseboat hostel island mountains
    neighborhood neighbourhood outskirts place region residence seaside studio suburb suburbs
    town townhouse trailer van village"""
)

GAMES = word_set(
    # What one plays without an article.
    """accordion badminton bagpipes banjo baseball basketball bass bassoon billiards bridge cello
    checkers chess clarinet cricket darts dnd drums fiddle flute football frisbee go golf
    guitar handball harmonica harp hockey keyboard lacrosse mandolin minecraft oboe paintball
    piano pickleball poker polo recorder rugby saxophone scrabble snooker soccer softball
    squash tennis trombone trumpet tuba ukulele viola violin volleyball water-polo"""
)

DEEDS = word_set(
    # What one did, with a date: not what one thought or felt.
    """went visited attended joined met saw bought got started hosted celebrated ran took had
    made tried flew drove moved hiked climbed painted built cooked baked played performed
    competed began gave wrote read watched spent adopted planted fixed sold booked applied
    interviewed volunteered travelled traveled camped swam sang danced fell crashed won passed
    failed broke lost launched published opened finished"""
)

STATES_OF_MIND = word_set(
    # What one is doing, and no plan even with a date.
    """thinking hoping wishing wondering trying considering dreaming feeling dying saying telling
    asking guessing assuming talking joking kidding being"""
)
