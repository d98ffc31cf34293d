"""Fifty schemas of many kinds, each with a sentence that asks for such an answer."""


def obj(required=None, **properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def text(most=30, **more):
    return {"type": "string", "maxLength": most, **more}


def whole(low=0, high=1000):
    return {"type": "integer", "minimum": low, "maximum": high}


def many(items, least=0, most=3):
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def one_of(*values):
    return {"enum": list(values)}


POINT = obj(x={"type": "number", "minimum": -90, "maximum": 90}, y={"type": "number", "minimum": -180, "maximum": 180})
TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": obj(
            name=text(12),
            left={"anyOf": [{"$ref": "#/$defs/leaf"}, {"type": "null"}]},
            right={"anyOf": [{"$ref": "#/$defs/leaf"}, {"type": "null"}]},
        ),
        "leaf": obj(value=whole(0, 9)),
    },
}
SHAPES = {
    "oneOf": [
        obj(kind={"const": "circle"}, radius=whole(1, 9)),
        obj(kind={"const": "square"}, side=whole(1, 9)),
        obj(kind={"const": "line"}, ends=many(POINT, 2, 2)),
    ]
}

# The first ten are what the quick test takes.
SCHEMAS = [
    ("Describe a person.", obj(name=text(), age=whole(0, 120), married={"type": "boolean"})),
    ("Name a date.", obj(day={"type": "string", "format": "date"}, event=text())),
    ("Draw a shape.", SHAPES),
    ("Grow a small tree.", TREE),
    ("List some numbers.", many(whole(-5, 5), 1, 6)),
    ("Write an order.", obj(id={"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"}, total={"type": "number",
     "minimum": 0, "maximum": 99.5})),
    ("Is it so?", obj(answer=one_of("yes", "no", "maybe"), reason=text(60))),
    ("Who can be reached how?", obj(email={"type": "string", "format": "email"}, phone={"type": "string",
     "pattern": "[0-9]{3}-[0-9]{4}"})),
    ("Count the animals.", {"type": "object", "additionalProperties": whole(0, 9), "maxProperties": 3,
     "minProperties": 1, "propertyNames": {"enum": ["cat", "dog", "cow", "hen"]}}),
    ("What is optional?", obj([], a=whole(), b=text(8), c={"type": "null"}, d=one_of(1, 2, 3))),
    ("Say something.", text(40)),
    ("Say yes or no.", {"type": "boolean"}),
    ("Give a digit.", whole(0, 9)),
    ("Give a temperature.", {"type": "number", "minimum": -40.5, "maximum": 60.25}),
    ("Say nothing.", {"type": "null"}),
    ("Choose a colour.", one_of("red", "green", "blue")),
    ("Choose a value.", one_of(1, "one", None, True, {"one": [1]})),
    ("What is it for?", {"const": {"answer": 42}}),
    ("Where is it?", POINT),
    ("Plot three points.", many(POINT, 3, 3)),
    ("Describe a book.", obj(title=text(40), year=whole(1400, 2030), tags=many(one_of("new", "old", "rare"), 0, 3))),
    ("Describe a car.", obj(make=text(12), doors=one_of(2, 3, 4, 5), electric={"type": "boolean"},
     price={"type": ["integer", "null"], "minimum": 0, "maximum": 90000})),
    ("Book a flight.", obj(**{"from": text(3, pattern="^[A-Z]{3}$"), "to": text(3, pattern="^[A-Z]{3}$"),
     "at": {"type": "string", "format": "date-time"}})),
    ("A time, please.", {"type": "string", "format": "time"}),
    ("An address in a network.", {"type": "string", "format": "ipv4"}),
    ("A long address in a network.", {"type": "string", "format": "ipv6"}),
    ("A unique name.", {"type": "string", "format": "uuid"}),
    ("A link.", {"type": "string", "format": "uri"}),
    ("A host.", {"type": "string", "format": "hostname"}),
    ("How long?", {"type": "string", "format": "duration"}),
    ("Words.", many(text(10, minLength=2), 1, 4)),
    ("A matrix.", many(many(whole(0, 9), 2, 2), 2, 2)),
    ("A pair.", {"type": "array", "prefixItems": [text(6), whole(0, 9)], "items": False}),
    ("A record.", {"type": "array", "prefixItems": [whole(1, 9)], "items": {"type": "boolean"}, "maxItems": 4}),
    ("Even numbers.", many({"type": "integer", "multipleOf": 2, "minimum": 0, "maximum": 100}, 1, 4)),
    ("Multiples of seven.", many({"type": "integer", "multipleOf": 7}, 1, 3)),
    ("Above one and below two.", {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 2}),
    ("A negative number.", {"type": "integer", "maximum": -1, "minimum": -5000}),
    ("A name or a number.", {"anyOf": [text(10), whole()]}),
    ("One of the two fields.", {**obj([], a=whole(), b=whole()), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}),
    ("All at once.", {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 5}]}),
    ("With a description.", {"$ref": "#/$defs/age", "description": "years", "maximum": 99,
     "$defs": {"age": {"type": "integer", "minimum": 18}}}),
    ("A message.", obj(role=one_of("user", "system"), content=text(50), meta=obj([], lang=text(2, pattern="^[a-z]{2}$")))),
    ("A recipe.", obj(dish=text(20), steps=many(text(25), 1, 3), minutes=whole(1, 240))),
    ("A grade.", obj(subject=text(15), grade={"type": "string", "pattern": "^[A-F][+-]?$"})),
    ("Names with accents: é, ü.", obj(**{"prénom": text(10), "größe": whole(50, 250)})),
    ("Keys to be quoted.", obj(**{'a"b': whole(0, 9), "c\\d": {"type": "boolean"}})),
    ("More than asked.", {"type": "object", "properties": {"id": whole(0, 99)}, "required": ["id"],
     "additionalProperties": {"type": "boolean"}}),
    ("A linked list.", {"type": "object", "properties": {"value": whole(0, 9), "next": {"anyOf": [{"type": "null"},
     {"$ref": "#"}]}}, "required": ["value", "next"], "additionalProperties": False}),
    ("A hexadecimal colour.", {"type": "string", "pattern": "^#([0-9a-f]{3}|[0-9a-f]{6})$"}),
]
assert len(SCHEMAS) == 50
