"""The packaged catalogue is complete, and a wrong file is refused by name and field."""

from __future__ import annotations

import pytest

from intents.engine.catalogue import Catalogue, CatalogueError, load_intent

SERVICE = """parking elderly_care facility_repair utilities sanitation noise pollution property_service
illegal_building street_order public_safety pets neighbour_dispute greening traffic housing
social_security civil_affairs certificates education health consumer complaint other_request""".split()
PROGRAMME = "parking_share activity volunteer suggestion consultation".split()
CONVERSATION = """emergency progress update_ticket cancel feedback praise human profile help
chitchat""".split()

MINIMAL = 'title = "试"\ngroup = "service"\nclass = "E"\nact = "report"\n'
SLOT = '[[slots]]\nname = "place"\nrequired = true\nquestion = "在哪？"\nsimpler = "哪里？"\n'


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue.load()


def test_every_intent_has_its_file_and_no_other(catalogue):
    assert set(catalogue.intents) == {*SERVICE, *PROGRAMME, *CONVERSATION}
    assert len(catalogue.intents) == 39


@pytest.mark.parametrize(
    ("group", "ids"),
    [("service", SERVICE), ("programme", PROGRAMME), ("conversation", CONVERSATION)],
)
def test_groups_and_handlers(catalogue, group, ids):
    own_handlers = set(CONVERSATION)
    for name in ids:
        intent = catalogue.intents[name]
        assert intent.group == group
        assert intent.handler == (name if name in own_handlers else "report")


def test_texts_for_residents_are_short_and_chinese(catalogue):
    for intent in catalogue.intents.values():
        shown = [intent.title] + [matter.title for matter in intent.matters]
        asked = [text for slot in intent.slots for text in (slot.question, slot.simpler)]
        assert all(len(text) <= 12 for text in shown), shown
        assert all(len(text) <= 40 and not text.isascii() for text in asked), asked


def test_every_emergency_kind_says_what_to_do_and_whom_to_ring(catalogue):
    kinds = {matter.id: matter for matter in catalogue.intents["emergency"].matters}
    assert set(kinds) >= {
        "fire", "gas", "medical", "fall", "lift", "missing", "suicide", "violence", "water"
    }  # fmt: skip
    for matter in kinds.values():
        assert any(number in matter.advice for number in ("110", "119", "120")), matter.id
    gas = kinds["gas"].advice
    assert (
        gas.index("关阀")
        < gas.index("开窗")
        < gas.index("别动")
        < gas.index("屋外")
        < gas.index("119")
    )


@pytest.mark.parametrize(
    ("intent", "text", "matter", "deadline"),
    [
        ("facility_repair", "3号楼楼道灯坏了", "楼道灯", "E"),
        ("facility_repair", "電梯停了", "电梯", "B"),
        ("facility_repair", "门口井盖没了", "井盖", "D"),
        ("utilities", "停水了", "停水", "B"),
        ("parking", "车子横着，我的车出不来", "挪车", "D"),
    ],
)
def test_matters(catalogue, intent, text, matter, deadline):
    found = catalogue.matter(intent, text)
    assert found.title == matter
    assert catalogue.intents[intent].class_for("report", found) == deadline


def test_no_word_no_matter_unless_one_is_for_the_rest(catalogue):
    assert catalogue.matter("facility_repair", "那个又不行了") is None
    assert catalogue.matter("property_service", "那个又不行了").title == "物业服务"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("厨房着火了", "fire"),
        ("一股煤气味", "gas"),
        ("孩子走丢了", "missing"),
        ("他拿刀追人", "violence"),
    ],
)
def test_emergency_kinds(catalogue, text, kind):
    assert catalogue.matter("emergency", text).id == kind


def test_what_a_report_needs(catalogue):
    repair = catalogue.intents["facility_repair"]
    names = lambda act, matter: [slot.name for slot in repair.needs(act, matter)]  # noqa: E731
    assert names("report", repair.matter("电梯坏了")) == ["place", "building"]
    assert names("report", repair.matter("路灯不亮")) == ["place"]
    assert names("consult", None) == []


@pytest.mark.parametrize(
    ("act", "expected"), [("consult", "C"), ("suggest", "H"), ("report", "E"), ("complain", "E")]
)
def test_act_sets_the_class(catalogue, act, expected):
    assert catalogue.intents["greening"].class_for(act) == expected


def test_only_complaints_about_people_are_sensitive(catalogue):
    assert [i.id for i in catalogue.intents.values() if i.sensitive] == ["complaint"]


@pytest.mark.parametrize(
    ("toml", "field"),
    [
        ("title = ", "bad.toml"),
        (MINIMAL.replace('"试"', '""'), "title: is empty"),
        (MINIMAL.replace("title", "titel"), "title: is missing"),
        (MINIMAL + 'titel = "x"\n', "titel: is not a field"),
        (MINIMAL.replace('"E"', '"Z"'), "class: 'Z' is not one of"),
        (MINIMAL.replace('"E"', "5"), "class: must be a str"),
        (MINIMAL.replace('"report"', '"rant"'), "act: 'rant'"),
        (MINIMAL + SLOT.replace("place", "colour"), "slots[0].name"),
        (MINIMAL + SLOT.replace('simpler = "哪里？"\n', ""), "slots[0].simpler: is missing"),
        (MINIMAL + SLOT + 'words = "x"\n', "slots[0].words"),
        (MINIMAL + '[[matters]]\ntitle = "灯"\nwords = ["", "灯"]\n', "matters[0].words"),
        (MINIMAL + '[[matters]]\ntitle = "灯"\nneeds = ["place"]\n', "matters[0].needs"),
        (MINIMAL + '[[examples]]\ntext = "灯"\nact = "no"\n', "examples[0].act"),
        (MINIMAL + "slots = 3\n", "slots"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_field(tmp_path, toml, field):
    path = tmp_path / "bad.toml"
    path.write_text(toml, "utf-8")
    with pytest.raises(CatalogueError) as error:
        load_intent(path)
    assert "bad.toml" in str(error.value)
    assert field in str(error.value)


def test_a_site_adds_and_replaces(tmp_path):
    (tmp_path / "karaoke.toml").write_text(MINIMAL, "utf-8")
    (tmp_path / "noise.toml").write_text(MINIMAL.replace("试", "吵"), "utf-8")
    intents = Catalogue.load(tmp_path).intents
    assert len(intents) == 40
    assert intents["noise"].title == "吵"


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(CatalogueError, match="no such folder"):
        Catalogue.load(tmp_path / "nowhere")
