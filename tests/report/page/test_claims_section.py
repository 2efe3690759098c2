"""The claims of a page: those that need attention first and open, one command for all, the expression behind a fold."""

from __future__ import annotations

from dataclasses import replace

from benchrig.report import Report
from benchrig.report.page import render
from benchrig.report.verdict import Reason, Wanted, Why
from tests.support.html import Element, tree
from tests.support.reports import VERDICTS, every_kind

COMMAND = "./inv bench -i lab --suite web-frameworks --profile quick --only go-2000 --repeats 6"

UNDECIDED = tuple(
    replace(
        VERDICTS[-1],
        claim=f"undecided-{number}",
        reason=Reason(Why.TOO_FEW_REPEATS, repeats=1, needed=6, supports=True, command=COMMAND),
        wanted=Wanted((row,), 6),
    )
    for number, row in enumerate(["go-2000", "sanic"])
)


def _claims(verdicts: tuple[object, ...] = VERDICTS) -> Element:
    page = tree(render(Report(every_kind().table, verdicts)))  # type: ignore[arg-type]
    return page.one("section", "claims")


def test_claims_are_grouped_by_verdict_and_what_needs_attention_is_first_and_open() -> None:
    groups = _claims().all("details", "group")
    assert [one.attributes["id"].removeprefix("claims-") for one in groups] == [
        "contradicted",
        "inconclusive",
        "reproduced",
        "not-testable",
    ]
    assert ["open" in one.attributes for one in groups] == [True, True, False, False]
    assert [len(one.all("article")) for one in groups] == [2, 1, 1, 1]
    assert groups[0].all("summary")[0].text == "contradicted 2 claims"
    assert groups[2].all("summary")[0].text == "reproduced 1 claim"


def test_a_count_of_each_verdict_leads_to_its_claims() -> None:
    claims = _claims()
    links = claims.one("p", "counts").all("a")
    assert [one.text for one in links] == ["2 contradicted", "1 inconclusive", "1 reproduced", "1 not testable here"]
    places = {one.attributes["id"] for one in claims.all("details", "group")}
    assert {one.attributes["href"].removeprefix("#") for one in links} == places


def test_the_document_is_named_and_claims_about_other_rows_are_counted() -> None:
    claims = _claims((*VERDICTS, replace(VERDICTS[0], not_in_run=True)))
    assert "blog article" in claims.one("p", "document").text
    assert claims.one("p", "counts").text.endswith("1 more is about rows that are not in this run")
    assert len(claims.all("article")) == len(VERDICTS)


def test_inconclusive_claims_share_one_command_and_each_has_its_own_behind_a_fold() -> None:
    group = _claims((*VERDICTS[:3], *UNDECIDED)).one("details", "group", id="claims-inconclusive")
    articles = group.all("article")
    assert len(articles) == 2
    outside = [one for one in group.all("pre") if not any(one in article.all("pre") for article in articles)]
    (command,) = outside
    assert "--only go-2000,sanic" in command.text
    assert "--repeats 6" in command.text
    for article in articles:
        (reason,) = [one for one in article.all("p") if "One measurement" in one.text]
        assert reason.text == "One measurement supports this claim. Measure 6 times to judge it."
        assert COMMAND in [one.text for one in article.one("details", "behind").all("pre")]


def test_a_claim_says_what_it_is_where_it_stands_and_why() -> None:
    article = _claims().all("article")[0]
    assert "is <b>fast</b> | faster" in article.one("h4").text
    assert "summary, 2nd sentence" in article.text
    assert "because it is contradicted" in article.text
    assert "throughput(go-2000) >= 7" in article.one("details", "behind").text
    assert {one.text for one in article.all("dt")} == {"published", "measured", "note", "cause"}
    assert "19,643.94 requests/s" in article.text


def test_a_claim_has_a_small_chart_and_one_guide_serves_all() -> None:
    claims = _claims()
    drawn = [len(one.all("svg")) for one in claims.all("article")]
    assert drawn == [1] * 4 + [0]  # of the one that is not testable, which comes last, nothing was compared
    assert len(claims.all("p", "guide")) == 1
    bare = _claims((replace(VERDICTS[0], published=(), measured=()),))
    assert not bare.all("svg")
    assert not bare.all("p", "guide")


def test_a_report_without_claims_has_no_such_section() -> None:
    assert not tree(render(every_kind())).all("section", "claims")
