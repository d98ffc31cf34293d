"""Conversations, tools and documents for the templates of jinja_families."""

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a place.\nIn metric units, unless told \"otherwise\".",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "A city, e.g. Zürich"},
                "days": {"type": "integer"},
                "fields": {"type": "array", "items": {"type": ["string", "number"]}},
                "extra": {"type": "object", "additionalProperties": {"type": "boolean"}},
                "any": {},
            },
            "required": ["place"],
        },
        "return": {"type": "array", "items": {"type": "number"}},
    },
}
SHOP = {
    "type": "function",
    "function": {"name": "buy", "description": None, "parameters": {"type": "object", "properties": {}}},
}

USER = {"role": "user", "content": "  What is 2 + 2? <|im_end|> "}
ANSWER = {"role": "assistant", "content": "<think>\nadd\n</think>\n\nIt is 4."}
SYSTEM = {"role": "system", "content": "You are terse. /no_think"}
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {
            "id": "abcdef123",
            "type": "function",
            "function": {
                "name": "get_weather",
                "arguments": {"place": "Köln", "days": 2, "fields": ["t", 1.5], "ok": True},
            },
        }
    ],
}
TWO_CALLS = {
    "role": "assistant",
    "content": "Both.",
    "tool_calls": CALL["tool_calls"]
    + [{"id": "short", "type": "function", "function": {"name": "buy", "arguments": '{"a": 1}'}}],
}
RESULT = {"role": "tool", "name": "get_weather", "content": "{\"t\": 21.5}"}
RESULT_VALUE = {"role": "tool", "content": {"t": [1, None, "x"]}}
PARTS = {
    "role": "user",
    "content": [{"type": "text", "text": " Look: "}, {"type": "image"}, {"type": "text", "text": "what?"}],
}
THOUGHT = {"role": "assistant", "content": "4.", "reasoning_content": "\nsimple sum\n"}

CONVERSATIONS = {
    "one": [USER],
    "system": [SYSTEM, USER],
    "two": [USER, ANSWER, {"role": "user", "content": "Sure?"}],
    "long": [
        SYSTEM, USER, ANSWER,
        {"role": "user", "content": "And 3?"}, {"role": "assistant", "content": "6"},
    ],
    "tools": [
        SYSTEM, USER, CALL, RESULT,
        {"role": "assistant", "content": "21.5 degrees"}, {"role": "user", "content": "Thanks"},
    ],
    "results": [USER, TWO_CALLS, RESULT, RESULT],
    "result_value": [USER, CALL, RESULT_VALUE],
    "parts": [PARTS],
    "thought": [USER, THOUGHT],
    "two_users": [USER, USER],
    "odd_role": [USER, {"role": "critic", "content": "Hm."}],
    "systems": [SYSTEM, {"role": "system", "content": "Also: be kind."}, USER],
    "empty_content": [{"role": "user", "content": ""}],
}

EXTRAS = [
    {"add_generation_prompt": True},
    {"add_generation_prompt": False, "tools": [WEATHER, SHOP], "xml_tools": [WEATHER]},
    {"add_generation_prompt": True, "tools": None, "enable_thinking": False, "date_string": "1 Jan 2020",
     "documents": [{"title": "Sums", "text": "2 + 2 = 4"}, {"text": "no title"}]},
]
