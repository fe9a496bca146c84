import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.arrays import FloatArray, IntArray
from nlp.themes import NONE, Found, Theme
from nlp.themes.lineage import succession

WIDTH = 8


def direction(*axes: int) -> FloatArray:
    """Halfway between the axes; similarity to each is one over the root of their number."""
    row = np.zeros(WIDTH, dtype=np.float32)
    row[list(axes)] = 1
    return row / np.linalg.norm(row)


def theme(number: int, *axes: int) -> Theme:
    return Theme(id=number, centroid=direction(*axes), cut=0.5, size=10)


def group(rows: range, *axes: int) -> Found:
    return Found(members=np.array(rows, dtype=np.int64), centroid=direction(*axes), cut=0.5)


def was(*ids: tuple[int, int]) -> IntArray:
    """The theme of each row before, from (id, rows) runs."""
    return np.concatenate([np.full(count, number, dtype=np.int64) for number, count in ids])


def test_what_is_found_again_keeps_its_id() -> None:
    rebuilt = succession(
        [group(range(10, 20), 1), group(range(10), 0)],
        was((5, 10), (9, 10)),
        [theme(5, 0), theme(9, 1)],
    )

    assert [each.continues for each in rebuilt.groups] == [9, 5]
    assert [each.merged for each in rebuilt.groups] == [(), ()]
    assert rebuilt.retired == ()


def test_of_themes_that_merge_the_larger_goes_on() -> None:
    rebuilt = succession(
        [group(range(30), 0, 1)], was((1, 10), (2, 20)), [theme(1, 0), theme(2, 1)]
    )

    [both] = rebuilt.groups
    assert (both.continues, both.merged, rebuilt.retired) == (2, (1,), ())


def test_of_a_theme_that_splits_the_larger_part_goes_on() -> None:
    rebuilt = succession(
        [group(range(10), 0), group(range(10, 30), 1)], was((4, 30)), [theme(4, 0, 1)]
    )

    smaller, larger = rebuilt.groups
    assert (larger.continues, larger.split_from) == (4, None)
    assert (smaller.continues, smaller.split_from) == (None, 4)


def test_what_nobody_says_any_more_is_retired_and_what_is_new_is_born() -> None:
    rebuilt = succession([group(range(10), 1)], was((NONE, 10)), [theme(3, 0)])

    [born] = rebuilt.groups
    assert (born.continues, born.split_from, born.merged) == (None, None, ())
    assert rebuilt.retired == (3,)


def test_a_theme_whose_statements_left_the_sample_is_known_by_its_centroid() -> None:
    rebuilt = succession([group(range(10), 0)], was((NONE, 10)), [theme(3, 0)])

    assert rebuilt.groups[0].continues == 3


def test_an_id_is_not_carried_to_another_subject_by_a_few_shared_statements() -> None:
    """Most of what little is left of theme 3 is in the group, but that is about something else."""
    rebuilt = succession([group(range(50), 1)], was((3, 5), (NONE, 45)), [theme(3, 0)])

    assert rebuilt.groups[0].continues is None
    assert rebuilt.retired == (3,)


def test_nothing_before_and_nothing_found() -> None:
    nothing = succession([], was((NONE, 3)), [])
    assert (nothing.groups, nothing.retired) == ([], ())
    assert succession([], was((3, 3)), [theme(3, 0)]).retired == (3,)
    assert succession([group(range(8), 0)], was((NONE, 8)), []).groups[0].continues is None


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Found], IntArray, list[Theme]]:
    seed = draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    ids = draw(st.lists(st.integers(1, 99), unique=True, max_size=6))
    count = draw(st.integers(0, 60))
    before = rng.choice(np.array([NONE, *ids]), size=count)
    after = rng.integers(-1, draw(st.integers(1, 6)), size=count)

    def centroid() -> FloatArray:
        axes = rng.choice(WIDTH, size=rng.integers(1, 3), replace=False)
        return direction(*axes.tolist())

    themes = [Theme(id=number, centroid=centroid(), cut=0.5, size=9) for number in ids]
    found = [
        Found(members=np.flatnonzero(after == number), centroid=centroid(), cut=0.5)
        for number in sorted(set(after.tolist()) - {NONE})
    ]
    return found, before.astype(np.int64), themes


@settings(max_examples=40, deadline=None)
@given(histories())
def test_each_old_theme_ends_in_exactly_one_way(
    history: tuple[list[Found], IntArray, list[Theme]],
) -> None:
    found, before, themes = history

    rebuilt = succession(found, before, themes)

    continued = [g.continues for g in rebuilt.groups if g.continues is not None]
    merged = [number for g in rebuilt.groups for number in g.merged]
    ends = [*continued, *merged, *rebuilt.retired]
    assert sorted(ends) == sorted(theme.id for theme in themes), "none lost, none used twice"
    assert [g.found for g in rebuilt.groups] == found
    for each in rebuilt.groups:
        assert not each.merged or each.continues is not None, "what takes up others goes on itself"
        assert each.split_from is None or each.split_from in continued
        assert each.continues is None or each.split_from is None


@settings(max_examples=40, deadline=None)
@given(histories())
def test_the_order_of_the_registry_changes_nothing(
    history: tuple[list[Found], IntArray, list[Theme]],
) -> None:
    found, before, themes = history

    one, two = (succession(found, before, each) for each in (themes, themes[::-1]))

    assert one.retired == two.retired
    assert [(g.continues, g.split_from, g.merged) for g in one.groups] == [
        (g.continues, g.split_from, g.merged) for g in two.groups
    ]
