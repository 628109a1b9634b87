"""From the XML dialects' words to ours, with the quirks of the published clients (API contract 11)."""

import pytest

from mmsgate.domain.media import MediaKind
from mmsgate.domain.request import (
    ApiRequest,
    CustomText,
    DeleteMmsId,
    GetMmsIds,
    GetMmsTemplates,
    LoginUser,
    SaveMms,
    SendMms,
    SendSavedMms,
    WireDialect,
)
from mmsgate.domain.slide import DraftSlide
from mmsgate.errors import Refusal
from mmsgate.wire.document import read_document
from mmsgate.wire.names import canonical
from mmsgate.wire.reader import read_form, read_request

IMAGE, AUDIO, ICAL, VCARD = MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.ICAL, MediaKind.VCARD


def read(text: str) -> ApiRequest:
    return read_request(read_document(text))


def send(elements: str) -> SendMms:
    request = read(f"<request><action>sendMMS</action>{elements}</request>")
    assert isinstance(request.parameters, SendMms)
    return request.parameters


def slide(elements: str) -> DraftSlide:
    [only] = send(f"<slide>{elements}</slide>").slides
    return only


def test_every_parameter_of_send_mms() -> None:
    request = read(
        """<request>
            <action>sendMMS</action>
            <api-key>k3y</api-key>
            <to>12399471613</to>
            <from>28444</from>
            <operator-id>31062</operator-id>
            <message-subject>Saturday at the lake</message-subject>
            <service-id>32113</service-id>
            <name>LakeParty</name>
            <campaignRef>C-1</campaignRef>
            <from-mask>LAKE</from-mask>
            <fallback-sms-text>You have a picture message:</fallback-sms-text>
            <fallback-sms-link-expiration>2027-06-30T00:00:00+00:00</fallback-sms-link-expiration>
            <disable-fallback-sms>no</disable-fallback-sms>
            <disable-fallback-sms-link>yes</disable-fallback-sms-link>
            <slide>
                <duration>5</duration>
                <image><url>http://media.example/lake.jpg</url></image>
                <audio>
                    <url> http://media.example/waves.mp3 </url>
                </audio>
                <message-text>Boats, music and ice cream ☀</message-text>
            </slide>
            <slide>
                <message-text>Put it in your calendar</message-text>
                <ical><url>http://media.example/lake.ics</url></ical>
            </slide>
        </request>"""
    )
    assert request == ApiRequest(
        dialect=WireDialect.KEBAB,
        action="sendMMS",
        api_key="k3y",
        parameters=SendMms(
            to="12399471613",
            sender="28444",
            name="LakeParty",
            subject="Saturday at the lake",
            service_id="32113",
            operator_id="31062",
            campaign_ref="C-1",
            sender_mask="LAKE",
            fallback_text="You have a picture message:",
            fallback_link_expiration="2027-06-30T00:00:00+00:00",
            disable_fallback=False,
            disable_fallback_link=True,
            slides=(
                DraftSlide(
                    texts=("Boats, music and ice cream ☀",),
                    urls=((IMAGE, "http://media.example/lake.jpg"), (AUDIO, "http://media.example/waves.mp3")),
                    duration="5",
                ),
                DraftSlide(texts=("Put it in your calendar",), urls=((ICAL, "http://media.example/lake.ics"),)),
            ),
        ),
    )


def test_the_skycore_names() -> None:
    request = read(
        "<REQUEST><ACTION>sendMMS</ACTION><API_KEY>k</API_KEY><TO>1</TO><FROM>2</FROM><NAME>n</NAME>"
        "<SUBJECT>s</SUBJECT><OPERATORID>3</OPERATORID><CAMPAIGNREF>c</CAMPAIGNREF><FROM_MASK>m</FROM_MASK>"
        "<FALLBACKSMSTEXT>f</FALLBACKSMSTEXT><FALLBACKSMSLINKEXPIRATION>e</FALLBACKSMSLINKEXPIRATION>"
        "<DISABLEFALLBACKSMS>yes</DISABLEFALLBACKSMS><DISABLEFALLBACKSMSLINK>no</DISABLEFALLBACKSMSLINK>"
        "<SLIDE><TEXT>t</TEXT><VCARD><URL>u</URL></VCARD><DURATION>7</DURATION></SLIDE></REQUEST>"
    )
    assert request.dialect is WireDialect.SKYCORE
    assert request.api_key == "k"
    assert request.parameters == SendMms(
        to="1",
        sender="2",
        name="n",
        subject="s",
        operator_id="3",
        campaign_ref="c",
        sender_mask="m",
        fallback_text="f",
        fallback_link_expiration="e",
        disable_fallback=True,
        disable_fallback_link=False,
        slides=(DraftSlide(texts=("t",), urls=((VCARD, "u"),), duration="7"),),
    )


@pytest.mark.parametrize(
    ("root", "dialect"),
    [
        ("request", WireDialect.KEBAB),
        ("REQUEST", WireDialect.SKYCORE),
        ("Request", WireDialect.KEBAB),
    ],
)
def test_the_root_decides_the_dialect(root: str, dialect: WireDialect) -> None:
    assert read(f"<{root}/>") == ApiRequest(dialect=dialect, action=None)


def test_a_namespace_changes_nothing() -> None:
    request = read('<p:REQUEST xmlns:p="urn:x"><p:API_KEY>k</p:API_KEY></p:REQUEST>')
    assert (request.dialect, request.api_key) == (WireDialect.SKYCORE, "k")


@pytest.mark.parametrize("root", ["response", "postback", "requests", "html"])
def test_another_root_is_no_request(root: str) -> None:
    with pytest.raises(Refusal, match="E100") as caught:
        read(f"<{root}><action>sendMMS</action></{root}>")
    assert root in caught.value.detail


@pytest.mark.parametrize("name", ["api-key", "api_key", "API_KEY", "apikey", "ApiKey", "api--key_"])
def test_names_match_without_case_and_separators(name: str) -> None:
    assert read(f"<request><{name}>k</{name}></request>").api_key == "k"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("operator-id", "operator_id"),
        ("OPERATORID", "operator_id"),
        ("SPID", "operator_id"),
        ("message-subject", "subject"),
        ("subject", "subject"),
        ("campaign-ref", "campaign_ref"),
        ("fallback_sms_text", "fallback_text"),
        ("FROM-MASK", "sender_mask"),
    ],
)
def test_other_spellings_and_renames(name: str, field: str) -> None:
    assert getattr(send(f"<{name}>v</{name}>"), field) == "v"


def test_made_up_names_are_nobodys_however_long() -> None:
    assert canonical("x" * 60_000) == ""
    assert canonical("{urn:very-long-namespace-" + "x" * 100 + "}api-key") == "apikey"
    assert send(f"<{'to' * 500}>1</{'to' * 500}>").to is None


def test_absent_and_empty_are_two_things() -> None:
    assert send("").to is None
    assert send("<to/>").to == ""
    assert send("<to>  \n </to>").to == ""
    assert read("<request><action/></request>").action == ""


def test_values_are_trimmed_but_subject_and_text_are_not() -> None:
    parameters = send("<to>\n 1 </to><name> n </name><subject> s\n</subject><slide><text>\n a\nb </text></slide>")
    assert (parameters.to, parameters.name) == ("1", "n")
    assert parameters.subject == " s\n"
    assert parameters.slides[0].text == "\n a\nb "


def test_a_text_of_nothing_but_blanks_is_empty() -> None:
    assert send("<message-subject>\n   </message-subject>").subject == ""
    assert slide("<message-text>\n   </message-text>") == DraftSlide()


@pytest.mark.parametrize(
    "elements", ["<message-text/><message-text>t</message-text>", "<text>t</text><text> \n </text><message-text/>"]
)
def test_an_empty_text_beside_a_filled_one_is_none(elements: str) -> None:
    assert slide(elements) == DraftSlide(texts=("t",))


def test_of_a_repeated_element_the_first_counts() -> None:
    parameters = send("<to>1</to><TO>2</TO><slide><duration>3</duration><DURATION>4</DURATION></slide>")
    assert parameters.to == "1"
    assert parameters.slides[0].duration == "3"


def test_unknown_elements_are_ignored_wherever_they_stand() -> None:
    parameters = send("<colour>red</colour><slide><font><url>u</url></font><url>v</url><text>t</text></slide>")
    assert parameters.slides == (DraftSlide(texts=("t",)),)


@pytest.mark.parametrize(
    ("text", "truth"),
    [("yes", True), ("TRUE", True), (" 1 ", True), ("No", False), ("false", False), ("0", False), ("maybe", None)],
)
def test_truth_values(text: str, *, truth: bool | None) -> None:
    assert send(f"<disable-fallback-sms>{text}</disable-fallback-sms>").disable_fallback is truth


def test_two_of_a_kind_are_both_kept_so_that_they_can_be_refused() -> None:
    draft = slide(
        "<image><url>a</url><url>b</url></image><image><url>c</url></image><text>1</text><message-text>2</message-text>"
    )
    assert draft.urls == ((IMAGE, "a"), (IMAGE, "b"), (IMAGE, "c"))
    assert draft.texts == ("1", "2")


@pytest.mark.parametrize(
    "element", ["<image/>", "<image> </image>", "<image><url/></image>", "<image><url> </url></image>", "<object/>"]
)
def test_a_file_element_without_an_address_is_no_file(element: str) -> None:
    assert slide(element) == DraftSlide()


def test_the_object_form_of_2014_and_the_bare_address() -> None:
    draft = slide("<OBJECT><VCARD>http://a/b.vcf</VCARD><ODD>x</ODD></OBJECT><image>http://a/b.jpg</image>")
    assert draft.urls == ((VCARD, "http://a/b.vcf"), (IMAGE, "http://a/b.jpg"))


def test_a_wallet_is_a_pass() -> None:
    assert slide("<OBJECT><WALLET>u</WALLET></OBJECT>").urls == ((MediaKind.PASSBOOK, "u"),)


def test_an_action_is_known_in_any_case_and_kept_as_written() -> None:
    request = read("<request><action> SENDmms </action></request>")
    assert request.action == "SENDmms"
    assert request.parameters == SendMms()


@pytest.mark.parametrize("action", ["sendSMS", "launchRockets", ""])
def test_actions_that_nobody_knows_have_no_parameters(action: str) -> None:
    request = read(f"<request><action>{action}</action><to>1</to></request>")
    assert (request.action, request.parameters) == (action, None)


def test_the_key_shows_in_no_repr() -> None:
    assert "k3y" not in repr(read("<request><api-key>k3y</api-key></request>"))


class TestClients:
    """What the two published clients write (API contract 11)."""

    def test_ruby(self) -> None:
        request = read(
            '<?xml version="1.0" encoding="UTF-8"?><REQUEST><ACTION>saveMMS</ACTION><API_KEY>k</API_KEY>'
            "<NAME>lake</NAME><FALLBACKSMSTEXT>See it here:</FALLBACKSMSTEXT><SUBJECT>Saturday</SUBJECT>"
            "<SLIDE><TEXT>Boats</TEXT></SLIDE></REQUEST>"
        )
        assert (request.dialect, request.action, request.api_key) == (WireDialect.SKYCORE, "saveMMS", "k")

    def test_ruby_sends_slides_of_one_element(self) -> None:
        request = read(
            "<REQUEST><ACTION>sendMMS</ACTION><SLIDE><IMAGE><URL>u</URL></IMAGE></SLIDE>"
            "<SLIDE><TEXT>t</TEXT></SLIDE></REQUEST>"
        )
        assert request.parameters == SendMms(slides=(DraftSlide(urls=((IMAGE, "u"),)), DraftSlide(texts=("t",))))

    def test_php_sends_the_key_first_and_never_a_subject(self) -> None:
        request = read(
            '<?xml version="1.0"?>\n<request><api-key>k</api-key><action>sendMMS</action><to>1</to>'
            "<from>28444</from><service-id>28444mms</service-id><name>n</name><slide><message-text>t</message-text>"
            "<duration>5</duration><image><url>u</url></image></slide></request>\n"
        )
        assert (request.action, request.api_key) == ("sendMMS", "k")
        assert request.parameters == SendMms(
            to="1",
            sender="28444",
            service_id="28444mms",
            name="n",
            slides=(DraftSlide(texts=("t",), urls=((IMAGE, "u"),), duration="5"),),
        )

    def test_php_writes_a_slide_in_its_own_order(self) -> None:
        kinds = ["image", "audio", "video", "vcard", "ical", "pdf", "passbook"]
        files = "".join(f"<{kind}><url>{kind}</url></{kind}>" for kind in kinds)
        draft = slide(f"<message-text>t</message-text><duration>5</duration>{files}")
        assert draft.urls == tuple((MediaKind(kind), kind) for kind in kinds)


class TestStored:
    """The actions on stored messages (API contract 6.2 to 6.5, 10)."""

    def test_save(self) -> None:
        saved = read(
            "<REQUEST><ACTION>saveMMS</ACTION><NAME>lake</NAME><FALLBACKSMSTEXT>See it:</FALLBACKSMSTEXT>"
            "<SUBJECT>Saturday</SUBJECT><DISABLEFALLBACKSMSLINK>yes</DISABLEFALLBACKSMSLINK>"
            "<SLIDE><TEXT>Boats</TEXT><IMAGE><URL>http://x/lake.jpg</URL></IMAGE></SLIDE></REQUEST>"
        ).parameters
        assert saved == SaveMms(
            name="lake", subject="Saturday", fallback_text="See it:", disable_fallback_link=True,
            slides=(DraftSlide(texts=("Boats",), urls=((IMAGE, "http://x/lake.jpg"),)),),
        )  # fmt: skip

    def test_custom_texts_in_any_order_of_their_children(self) -> None:
        texts = (
            "<custom-text><slide> 2 </slide><value>two </value></custom-text>"
            "<custom-text><value>one</value><slide>1</slide></custom-text>"
            "<custom-text><value>none</value></custom-text><custom-text><slide>3</slide></custom-text>"
        )
        sent = read(f"<request><action>sendSavedMMS</action><mms-id>5</mms-id>{texts}</request>").parameters
        assert isinstance(sent, SendSavedMms)
        assert sent.custom_texts == (
            CustomText(value="two ", slide="2"), CustomText(value="one", slide="1"), CustomText(value="none"),
            CustomText(slide="3"),
        )  # fmt: skip

    def test_merge_data_has_any_names_and_the_first_counts(self) -> None:
        data = "<data><FIRST_NAME> Ada </FIRST_NAME><first_name>Bob</first_name><e-mail/></data>"
        sent = read(f"<request><action>sendsavedmms</action>{data}</request>").parameters
        assert isinstance(sent, SendSavedMms)
        assert sent.data == {"first_name": "Ada", "e-mail": ""}

    def test_list_delete_and_log_in(self) -> None:
        listed = "<start-date>2026-01-02</start-date><page_number>2</page_number><items-per-page>3</items-per-page>"
        assert read(f"<request><action>getMMSTemplates</action>{listed}</request>").parameters == GetMmsTemplates(
            start_date="2026-01-02", page_number="2", items_per_page="3"
        )
        delete = read("<REQUEST><ACTION>deleteMMSID</ACTION><MMSID>7</MMSID></REQUEST>").parameters
        assert delete == DeleteMmsId(mms_id="7")
        assert read("<REQUEST><ACTION>loginUSer</ACTION></REQUEST>").parameters == LoginUser()


class TestForm:
    """The Skycore GET (API contract 1.2)."""

    def test_action_and_key(self) -> None:
        request = read_form([("action", "getmmsids"), ("api_key", " k ")])
        assert request == ApiRequest(
            dialect=WireDialect.SKYCORE, action="getmmsids", api_key="k", parameters=GetMmsIds()
        )

    def test_send_saved_with_texts_and_merge_data(self) -> None:
        fields = [
            ("action", "sendsavedmms"), ("mmsid", "5"), ("to", "12065550100"), ("customtext_2", " hello "),
            ("customtext_1", "bye"), ("DATA_First_Name", "Ada"), ("customtitle", "Hi"),
        ]  # fmt: skip
        assert read_form(fields).parameters == SendSavedMms(
            mms_id="5", to="12065550100", custom_subject="Hi", data={"first_name": "Ada"},
            custom_texts=(CustomText(value=" hello ", slide="2"), CustomText(value="bye", slide="1")),
        )  # fmt: skip

    def test_the_first_of_a_repeated_parameter_counts(self) -> None:
        assert read_form([("API_KEY", "a"), ("apikey", "b")]).api_key == "a"

    @pytest.mark.parametrize("fields", [[], [("hello", "")], [("foo", "bar")]], ids=["none", "a word", "others"])
    def test_what_has_neither_action_nor_key_is_no_request(self, fields: list[tuple[str, str]]) -> None:
        with pytest.raises(Refusal, match="E100"):
            read_form(fields)

    def test_an_action_or_a_key_alone_is_for_later_checks(self) -> None:
        assert read_form([("action", "")]) == ApiRequest(dialect=WireDialect.SKYCORE, action="")
        assert read_form([("api_key", "k")]) == ApiRequest(dialect=WireDialect.SKYCORE, action=None, api_key="k")

    @pytest.mark.parametrize("action", ["sendMMS", "savemms", " SENDMMS "])
    def test_slides_have_no_such_form(self, action: str) -> None:
        with pytest.raises(Refusal, match="no GET form"):
            read_form([("action", action), ("api_key", "k")])


class TestDeviceDiscovery:
    """API contract 2.2 and 8: the names in both dialects and in the GET form."""

    @pytest.mark.parametrize(
        "written",
        [
            (
                "<ddm-message-text> Hi </ddm-message-text><ddm-message-subject>S</ddm-message-subject>"
                "<ddm-message-timeout> 7 </ddm-message-timeout><ddm-force>true</ddm-force>"
            ),
            "<ddm-text> Hi </ddm-text><ddm-title>S</ddm-title><ddm-timeout>7</ddm-timeout><ddm-force>1</ddm-force>",
            "<DDMTEXT> Hi </DDMTEXT><DDMTITLE>S</DDMTITLE><DDMTIMEOUT>7</DDMTIMEOUT><DDMFORCE>TRUE</DDMFORCE>",
        ],
    )
    def test_in_xml(self, written: str) -> None:
        root = "REQUEST" if written.startswith("<DDM") else "request"
        action = "ACTION" if root.isupper() else "action"
        body = f"<{root}><{action}>sendSavedMMS</{action}>{written}</{root}>"
        assert read_request(read_document(body)).parameters == SendSavedMms(
            discovery_text=" Hi ", discovery_subject="S", discovery_timeout="7", discovery_forced=True
        )

    def test_in_a_get(self) -> None:
        fields = [
            ("action", "sendsavedmms"), ("ddmtext", "Hi"), ("ddmtitle", "S"), ("ddmtimeout", "7"),
            ("ddmforce", "no"),
        ]  # fmt: skip
        assert read_form(fields).parameters == SendSavedMms(
            discovery_text="Hi", discovery_subject="S", discovery_timeout="7", discovery_forced=False
        )
