"""The page's modules that need no page, each by itself, in a real browser."""

import json
import unittest

from page_browser import PageTest


class Modules:
    """The groups below are mixed into one test: a server and a page are enough for all."""

    def run_module(self, name, expression, argument=None):
        """`expression` over the module's exports, as `m`, and `argument`, as `given`."""
        body = f"async (given) => {{ const m = await import('/page/{name}.js'); return {expression}; }}"
        return self.page.evaluate(body, argument)


class MarkdownCases(Modules):
    def parse(self, text):
        """Without the sources of blocks."""

        def strip(value):
            if isinstance(value, dict):
                return {key: strip(inner) for key, inner in value.items() if key != "source"}
            return [strip(inner) for inner in value] if isinstance(value, list) else value

        return strip(self.run_module("markdown", "m.parseMarkdown(given)", text))

    def inlines(self, text):
        [paragraph] = self.parse(text)
        self.assertEqual(paragraph["type"], "paragraph")
        return paragraph["inlines"]

    def test_inlines(self):
        strong = lambda *inner: {"type": "strong", "inlines": list(inner)}
        emphasis = lambda *inner: {"type": "emphasis", "inlines": list(inner)}
        code = lambda text: {"type": "code", "text": text}
        link = lambda href, text: {"type": "link", "href": href, "inlines": [text]}
        cases = {
            "a **b** c": ["a ", strong("b"), " c"],
            "*a* _b_ __c__": [emphasis("a"), " ", emphasis("b"), " ", strong("c")],
            "***both***": [strong(emphasis("both"))],
            "**a *b* c**": [strong("a ", emphasis("b"), " c")],
            "snake_case_name 2 * 3 * 4": ["snake_case_name 2 * 3 * 4"],
            "`a*b*` ``c`d``": [code("a*b*"), " ", code("c`d")],
            "~~gone~~": [{"type": "strike", "inlines": ["gone"]}],
            r"\*not\* **open": ["*not* **open"],
            "one\ntwo": ["one", {"type": "break"}, "two"],
            "[a](https://b.c/d) e": [link("https://b.c/d", "a"), " e"],
            "see http://a.b/c, or": ["see ", link("http://a.b/c", "http://a.b/c"), ", or"],
            "<https://a.b>": [link("https://a.b", "https://a.b")],
            "![alt](https://a.b/c.png)": [link("https://a.b/c.png", "alt")],
            "[a](javascript:b) <script>": ["[a](javascript:b) <script>"],
            "[a](JAVASCRIPT:b) [c](data:x) [d](//e)": ["[a](JAVASCRIPT:b) [c](data:x) [d](//e)"],
            "[a] (b) [c](": ["[a] (b) [c]("],
        }
        for text, wanted in cases.items():
            with self.subTest(text):
                self.assertEqual(self.inlines(text), wanted)

    def test_blocks(self):
        paragraph = lambda text: {"type": "paragraph", "inlines": [text]}
        listed = lambda *items, ordered=False, start=1: {
            "type": "list", "ordered": ordered, "start": start, "items": [list(item) for item in items]
        }
        code = lambda text, language="", open=False: {
            "type": "code", "language": language, "text": text, "open": open
        }
        cases = {
            "# A\n### B ###\n#no": [
                {"type": "heading", "level": 1, "inlines": ["A"]},
                {"type": "heading", "level": 3, "inlines": ["B"]},
                paragraph("#no"),
            ],
            "a\n\n---\n\nb": [paragraph("a"), {"type": "rule"}, paragraph("b")],
            "- a\n- b\n  - c\n\n- d": [
                listed([paragraph("a")], [paragraph("b"), listed([paragraph("c")])], [paragraph("d")])
            ],
            "3. a\n4. b\n\nc": [listed([paragraph("a")], [paragraph("b")], ordered=True, start=3), paragraph("c")],
            "> a\n> - b": [{"type": "quote", "blocks": [paragraph("a"), listed([paragraph("b")])]}],
            "```c++\nint a;\n\n# b\n```\nc": [code("int a;\n\n# b", "c++"), paragraph("c")],
            "~~~\n```\n~~~": [code("```")],
            "1. a\n   ```\n   b\n   ```": [listed([paragraph("a"), code("b")], ordered=True)],
            "```py\nstill coming": [code("still coming", "py", open=True)],
            "| a | b |\n|--|:-:|\n| 1 |\n| 2 | x \\| y | 3 |": [
                {
                    "type": "table",
                    "aligns": ["left", "center"],
                    "head": [["a"], ["b"]],
                    "rows": [[["1"], []], [["2"], ["x | y"]]],
                }
            ],
            "a | b\nc": [{"type": "paragraph", "inlines": ["a | b", {"type": "break"}, "c"]}],
            "": [],
            " \n\t\n": [],
        }
        for text, wanted in cases.items():
            with self.subTest(text):
                self.assertEqual(self.parse(text), wanted)

    def test_no_text_is_lost(self):
        """Whatever a text is cut to, as it is while it comes, its words are there."""
        text = "# t1\n\nw1 **w2 *w3* w4**\n\n- w5\n  1. w6\n\n> w7 `w8`\n\n| w9 |\n|---|\n| w10 |\n\n"
        text += "```x\nw11\n```\nw12"
        for end in range(len(text) + 1):
            tree = json.dumps(self.parse(text[:end]))
            for word in [f"w{i}" for i in range(1, 12) if f"w{i} " in text[:end].replace("\n", " ")]:
                self.assertIn(word, tree)

    def test_long_nonsense_ends(self):
        expression = """given.map(([piece, times, end]) => m.parseMarkdown(piece.repeat(times) + end).length > 0)"""
        pieces = ["*", "**a ", "_a ", "`", "` `` ", "[", "[a](", "](", "<", "> ", "- ", "# ", "|", "h", "http://", " "]
        nonsense = [[piece, 30000, "x"] for piece in pieces] + [["|-", 20000, "\n"], ["- a\n\n", 10000, ""]]
        self.assertTrue(all(self.run_module("markdown", expression, nonsense)))

    def test_code_tokens_are_the_code(self):
        codes = ["int a = 1; // b\n\"c\\\"d\" /* e", "# x\ndef f(): return 'y'", "#include <a>", "'open", "", "\\"]
        for code in codes:
            tokens = self.run_module("code_tokens", "m.codeTokens(given)", code)
            self.assertEqual("".join(text for _, text in tokens), code)
        kinds = dict(map(reversed, self.run_module("code_tokens", "m.codeTokens(given)", "return 42 # x")))
        self.assertEqual(kinds, {"return": "reserved", " ": "", "42": "number", "# x": "comment"})


class EventCases(Modules):
    TEXT = "data: a\n\n: comment\r\ndata:b\r\ndata: c\r\n\r\nid: 7\n\ndata: d\r\rdata: never ended\n"

    def test_events_come_out_however_the_text_is_cut(self):
        cut = "(() => { const parser = new m.EventParser(); return given.flatMap((piece) => parser.push(piece)); })()"
        for size in (1, 2, 3, 7, len(self.TEXT)):
            pieces = [self.TEXT[i : i + size] for i in range(0, len(self.TEXT), size)]
            self.assertEqual(self.run_module("sse", cut, pieces), ["a", "b\nc", "d"], size)


class StoreCases(Modules):
    SCRIPT = """(() => {
        const kept = new Map();
        const storage = {
            get length() { return kept.size; },
            key: (i) => [...kept.keys()][i],
            getItem: (key) => kept.get(key) ?? null,
            removeItem: (key) => kept.delete(key),
            setItem: (key, text) => {
                const others = [...kept].filter(([name]) => name !== key);
                const length = others.reduce((sum, [, other]) => sum + other.length, text.length);
                if (length > given.quota) throw new DOMException("full", "QuotaExceededError");
                kept.set(key, text);
            },
        };
        for (const [key, text] of Object.entries(given.before ?? {})) kept.set(key, text);
        const store = new m.ConversationStore(storage, given.limits);
        const put = ([id, updated, content]) => store.put({ id, updated, messages: [{ role: "user", content }] });
        const fits = given.puts.map(put);
        return { fits, ids: store.list().map(({ id }) => id), keys: [...kept.keys()] };
    })()"""

    def put(self, *conversations, conversations_most=100, characters=10_000, quota=100_000, before=None):
        limits = {"conversations": conversations_most, "characters": characters}
        return self.run_module(
            "store", self.SCRIPT, {"puts": conversations, "limits": limits, "quota": quota, "before": before}
        )

    def test_the_newest_come_first(self):
        self.assertEqual(self.put(["a", 1, "x"], ["b", 3, "x"], ["c", 2, "x"])["ids"], ["b", "c", "a"])

    def test_the_oldest_make_room(self):
        four = [["a", 1, "x"], ["b", 3, "x"], ["c", 2, "x"], ["d", 4, "x"]]
        self.assertEqual(self.put(*four, conversations_most=2)["ids"], ["d", "b"])
        long = [["a", 1, "x" * 400], ["b", 2, "x" * 400], ["c", 3, "x" * 400]]
        self.assertEqual(self.put(*long, characters=1100)["ids"], ["c", "b"])
        self.assertEqual(self.put(*long, quota=1100)["ids"], ["c", "b"])

    def test_what_never_fits_is_told(self):
        self.assertEqual(self.put(["a", 1, "x"], ["b", 2, "x" * 20_000])["fits"], [True, False])
        self.assertEqual(self.put(["a", 1, "x" * 500], quota=300)["fits"], [False])

    def test_entries_that_cannot_be_read_are_left_out_and_go_first(self):
        before = {"quire.conversation.bad": "{", "quire.conversation.odd": "3", "another": "{"}
        kept = self.put(["a", 1, "x"], ["b", 2, "x"], conversations_most=2, before=before)
        self.assertEqual(kept["ids"], ["b", "a"])
        self.assertEqual(kept["keys"][0], "another")
        self.assertEqual(len(kept["keys"]), 3)

    def test_one_without_messages_is_not_kept(self):
        empty = """(() => { const store = new m.ConversationStore(localStorage);
            return [store.put({ id: "e", updated: 1, messages: [] }), store.list().length]; })()"""
        self.assertEqual(self.run_module("store", empty), [True, 0])


class FiguresCases(Modules):
    def test_rates_are_those_of_the_last_seconds(self):
        script = """(() => { const rates = new m.Rates();
            const add = ([time_ms, tokens, sum, count]) =>
                rates.add({ time_ms, totals: { steps: tokens, tokens, sum, count } });
            const figures = () => [rates.perSecond("tokens"), rates.meanMs("sum", "count")];
            return given.map((view) => { add(view); return figures(); });
        })()"""
        views = [[0, 100, 1, 1], [1000, 300, 2, 2], [20000, 300, 2, 2], [30000, 400, 2.5, 4], [31000, 7, 0, 0]]
        wanted = [[0, None], [200, 1000], [0, None], [10, 250], [0, None]]
        self.assertEqual([[round(r, 6), m] for r, m in self.run_module("figures", script, views)], wanted)

    def test_digits_and_owners(self):
        self.assertEqual(self.run_module("figures", "[...m.readCells(given)]", "AB_-9"), [0, 1, 63, 62, 61])
        tables = [[3, 4], [3, 7]]
        owners = self.run_module("figures", "[...m.ownersOf(given)]", tables)
        self.assertEqual(owners, [[3, [0, 1]], [4, [0]], [7, [1]]])
        owners_in = "m.ownersIn(m.ownersOf(given[0]), given[1], given[2])"
        for cell, per_cell, owners in ((3, 1, [0, 1]), (0, 1, []), (1, 4, [0, 1]), (0, 4, [0, 1]), (7, 1, [1])):
            self.assertEqual(self.run_module("figures", owners_in, [tables, cell, per_cell]), owners)

    def test_counts_in_a_cell(self):
        count_and_part = "[m.countOf(given[0], given[1]), m.partOf(10, given[0], given[1])]"
        cases = [([1, 1], [1, 10]), ([1, 4], [1, 3]), ([4, 4], [4, 10]), ([1, 630], [10, 1]), ([63, 630], [630, 10])]
        for given, wanted in cases:
            self.assertEqual(self.run_module("figures", count_and_part, given), wanted)

    def test_sequences_are_named(self):
        sequences = [{"request": 12, "index": 0}] + [{"request": 12, "index": i} for i in range(1, 8)]
        names = "m.namesOf(given[0], given[1])"
        self.assertEqual(self.run_module("figures", names, [sequences, []]), "")
        self.assertEqual(self.run_module("figures", names, [sequences, [0, 3]]), " · #12, #12.3")
        self.assertEqual(
            self.run_module("figures", names, [sequences, list(range(8))]),
            " · #12, #12.1, #12.2, #12.3, #12.4, #12.5, and 2 more",
        )

    def test_numbers_read_well(self):
        cases = {"0.1234": "0.12 ms", "4.218": "4.22 ms", "312.4": "312 ms", "1240": "1.24 s", "200000": "3 min"}
        for ms, words in cases.items():
            self.assertEqual(self.run_module("format", "m.duration(Number(given))", ms), words)
        self.assertEqual(self.run_module("format", "m.duration(null)"), "–")
        self.assertEqual(self.run_module("format", "m.percent(1, 3)"), "33.3%")

    def test_cells_grow_with_what_was_touched(self):
        shown = "m.cellsShown({ total: given[0], touched: given[1], per_cell: given[2] }, 256)"
        cases = [([100, 3, 1], 100), ([40000, 3, 1], 256), ([40000, 300, 1], 512), ([40000, 40000, 10], 4000)]
        for given, cells in cases:
            self.assertEqual(self.run_module("figures", shown, given), cells)


class PageModulesTest(MarkdownCases, EventCases, StoreCases, FiguresCases, PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.page = cls.open(cls())

    def setUp(self):
        pass

    def tearDown(self):
        pass


if __name__ == "__main__":
    unittest.main()
