"""What a pull says to people."""

from reconciler.render.text import pulled

from .samples import PULLS


def test_each_thing_that_a_pull_did_is_said_once_and_how_bad_it_is() -> None:
    """The reviewer of a commit that takes a weakened app into the files without a word."""
    assert """\
Org: Acme, 00D000000000001EAA, CS42, Developer Edition, sandbox, API 63.0, as admin@acme.example

+ desired/apps/order_portal.yaml   ExternalClientApplication/order_portal, with 1 part
~ desired/a.yaml
    ConnectedApp/Portal.oauthConfig.callbackUrl: + https://b.example   (weakens, critical)
    ConnectedApp/Portal.oauthConfig.consumerSecret: (secret) → (secret)
- desired/b.yaml

Taken out of the files, since the org has them no more:
    ConnectedApp/Old

Variables:
    svc_idp: svc-idp@acme.example

Taken into the baseline alone: no file has to say it:
    ConnectedApp/Portal.description

Left as it is:
    ConnectedApp/Other.label: the file was edited (apply it)

Not in the files:
    consumerKey: it belongs to this org (2 records, the first of them ExtlClntAppGlobalOauthSettings/order_portal)

Could not be read, and is in no file for that:
    OauthCustomScope: INSUFFICIENT_ACCESS

Pull: 3 files written, 2 fields changed, 1 left as it is; adopted 2.
""" == pulled.text(PULLS["everything"])


def test_the_last_line_says_whether_anything_was_written() -> None:
    assert "Pull: nothing to do." == pulled.trailer(PULLS["nothing"])
    assert "Pull: 1 file would be written; 1 would be adopted." == pulled.trailer(PULLS["only asked"])
