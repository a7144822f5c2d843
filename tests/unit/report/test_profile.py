"""The flame graph: on the page, in Markdown, harmless, and told where there is none."""

from msgspec.structs import replace
from pages import Tree
from result_recipes import profile_of

from loadstone.record.profiled import ProfileSide
from loadstone.report import html, markdown, profile
from loadstone.report.charts import flame


def frames(text: str) -> list[dict]:
    return [named for _, named in Tree(text).elements if named.get("role") == "treeitem"]


def test_both_sides_are_drawn_on_one_scale(results):
    """1,300 samples against 534: the costlier side is as wide as the drawing, the other 41% of it."""
    tops = [one for one in frames(html.render(results.improved())) if one["aria-level"] == "1"]
    assert [one["width"] for one in tops] == ["100.00%", "41.08%"]
    assert all(one["aria-label"].startswith("handle … list (+2)") for one in tops)


def test_a_call_says_in_words_and_by_class_what_became_of_it(results):
    labels = {one["aria-label"].split(" ")[0]: one for one in frames(html.render(results.improved()))}
    gained = labels["execute"]
    assert "9.00 ms → 600 µs of CPU a request, less" in gained["aria-label"]
    assert "less" in gained["class"]
    assert "render (rest_framework/renderers.py): 1.00 ms → 1.04 ms" in labels["render"]["aria-label"]
    assert "same" in labels["render"]["class"]
    assert labels["prefetch_related_objects"]["aria-label"].endswith(", new")


def test_the_table_puts_what_changed_first_and_calls_the_rest_chance(results):
    (one,) = profile.flames(results.improved())
    told = [(each.name, each.certain) for each in one.costs]
    assert told[:2] == [("execute", True), ("prefetch_related_objects", True)]
    assert ("render", False) in told
    assert sum(each.own[0] for each in one.costs) == one.whole[0]


def test_markdown_names_what_changed_and_nothing_else(results):
    text = markdown.render(results.improved())
    table = text.partition("CPU by function")[2].partition("</details>")[0]
    assert "<code>execute</code> | 9.00 ms → 600 µs" in table
    assert "<code>render</code>" not in table


def test_calls_of_hostile_names_stay_text(results):
    text = html.render(results.hostile())
    assert frames(text)
    assert "<script>alert" not in text
    assert not any("\u202e" in (one["aria-label"] or "") for one in frames(text))


def test_without_stacks_the_reason_stands_in_their_place(results):
    made = results.improved()
    sides = [
        ProfileSide(variant=name, samples=0, cpu_us_per_request=0.0, unavailable="<b>forbidden</b>")
        for name in ("before", "after")
    ]
    text = html.render(replace(made, profile=replace(made.profile, sides=sides, functions=[], tree=[])))
    assert frames(text) == []
    assert text.count("are not available: &lt;b&gt;forbidden&lt;/b&gt;") == 2


def test_a_run_without_a_profile_has_no_section(results):
    assert 'id="profile"' not in html.render(replace(results.improved(), profile=None))


def test_chains_are_drawn_as_one_call_and_branches_are_not():
    made = profile_of({"a;b;c;d": 500, "a;b;c;e": 500}, {"a;b;c;d": 500, "a;b;c;e": 480})
    calls = flame.calls(made, 1, (1.0, 1.0))
    assert [(one.depth, one.title) for one in calls] == [(0, "a … c (+2)"), (1, "d"), (1, "e")]
