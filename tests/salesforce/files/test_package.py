"""Packages and zips: what we send, and what we let in."""

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.salesforce.files.archive import ZipError, ZipLimits, read_zip, write_zip
from providers.salesforce.files.package import build, digest, kind_of_path
from providers.salesforce.files.packing import Limits, parts, split
from reconciler.errors import InputError
from reconciler.kinds import all_kinds
from reconciler.schema.values import SecretRef
from tests.salesforce.build import SECRET, apex, app, component, global_oauth, handler, oauth

PATHS = st.text(st.sampled_from("abcXYZ_09.-ü"), min_size=1, max_size=8).filter(lambda name: name.strip(".") != "")


def zipped(*entries: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def test_each_component_is_the_file_that_salesforce_expects():
    """A wrong folder or suffix is Salesforce's most puzzling refusal."""
    files = build([app(), global_oauth(), oauth(), apex(), component("OauthOidcSettings/OauthOidc", {})], "63.0")

    assert {
        "classes/PartnerIdpHandler.cls",
        "classes/PartnerIdpHandler.cls-meta.xml",
        "externalClientApps/portal.eca",
        "extlClntAppGlobalOauthSets/portal_glbloauth.ecaGlblOauth",
        "extlClntAppOauthSettings/portal_oauth.ecaOauth",
        "package.xml",
        "settings/OauthOidc.settings",
    } == files.keys()
    assert files["classes/PartnerIdpHandler.cls"].startswith(b"public class PartnerIdpHandler")


def test_the_manifest_names_every_member_once_and_in_order():
    """What is in the zip and not in the manifest is not deployed."""
    written = build([app("b"), app("a"), component("OauthOidcSettings/OauthOidc", {})], "63.0")["package.xml"].decode()

    assert written.index("<members>a</members>") < written.index("<members>b</members>")
    assert "<members>OauthOidc</members>\n        <name>Settings</name>" in written
    assert "<version>63.0</version>" in written


def test_what_is_removed_goes_last_and_what_is_replaced_goes_first():
    """An app that is still referred to cannot be deleted before the reference is gone; a replaced one has to be."""
    files = build([component("ExternalClientApplication/old"), app("new")], "63.0")
    assert b"<members>old</members>" in files["destructiveChangesPost.xml"]
    assert "destructiveChangesPre.xml" not in files

    files = build([component("ExternalClientApplication/portal"), app("portal")], "63.0")
    assert b"<members>portal</members>" in files["destructiveChangesPre.xml"]
    assert b"<members>portal</members>" in files["package.xml"]
    assert "destructiveChangesPost.xml" not in files


def test_every_file_of_a_package_is_known_again():
    """A path that we write and do not recognise when it comes back would look like a deleted record."""
    for kind in all_kinds().values():
        name = kind.singleton or "X"
        assert (kind, name, kind.suffix == "cls") == kind_of_path(f"{kind.folder}/{name}.{kind.suffix}")
    assert (all_kinds()["ApexClass"], "X", False) == kind_of_path("classes/X.cls-meta.xml")
    assert kind_of_path("package.xml") is None
    assert kind_of_path("settings/Security.settings") is None
    assert kind_of_path("profiles/Admin.profile") is None


def test_the_digest_knows_references_and_not_values():
    """A plan file may be published: a digest over values would let others guess at secrets."""
    one = [global_oauth(consumerSecret=SECRET)]
    other = [global_oauth(consumerSecret=SecretRef("env", "ANOTHER"))]

    assert digest(build(one, "63.0")) == digest(build(one, "63.0"))
    assert digest(build(one, "63.0")) != digest(build(other, "63.0"))
    assert b"(secret from env PORTAL_SECRET)" in b"".join(build(one, "63.0").values())
    assert b"hunter2hunter2" in b"".join(build(one, "63.0", lambda ref: "hunter2hunter2").values())


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "../x", "a\nb", "a\x1bb", "a\u202eb"])
def test_a_name_that_is_no_file_name_is_refused(name: str):
    """A record called `../package` must not become another file."""
    with pytest.raises(InputError, match="cannot be the name of a file"):
        build([component("ExternalClientApplication/x", {}, name or " \n")], "63.0")


def test_odd_but_possible_names_are_escaped_in_the_manifest():
    """`A & B` in a manifest is not XML."""
    written = build([component("OauthCustomScope/x", {}, "A & B <c>")], "63.0")

    assert b"<members>A &amp; B &lt;c&gt;</members>" in written["package.xml"]
    assert "oauthcustomscopes/A & B <c>.oauthcustomscope" in written


def test_a_class_without_its_source_is_refused():
    """A deployment of nothing but the meta file would fail with words about a missing file."""
    with pytest.raises(InputError, match="has no source"):
        build([component("ApexClass/X", {"apiVersion": 63.0, "status": "Active"})], "63.0")


@given(st.dictionaries(PATHS, st.binary(max_size=200), max_size=6))
def test_a_zip_is_the_same_bytes_for_the_same_files_and_anybody_can_read_it(files: dict[str, bytes]):
    """Otherwise no cassette could ever match, and no org would take it."""
    data = write_zip(files)

    assert data == write_zip(dict(reversed(files.items())))
    assert files == dict(read_zip(data))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert files == {name: archive.read(name) for name in archive.namelist()}


@given(st.dictionaries(PATHS, st.binary(max_size=200), max_size=6))
def test_zips_of_others_are_read(files: dict[str, bytes]):
    """Salesforce's zips come from Java, with sizes after the data; Python's are near enough to both."""
    assert files == dict(read_zip(zipped(*files.items())))


def test_streamed_entries_are_read():
    """Java writes sizes behind the data: then only the directory knows them."""

    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            self.data += bytes(data)
            return len(data)

    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("unpackaged/package.xml", b"x" * 500)

    assert {"unpackaged/package.xml": b"x" * 500} == dict(read_zip(stream.data))


@pytest.mark.parametrize("path", ["../up", "a/../../up", "/etc/passwd", "C:/x", "a\\b", "a//b", "./a", "a\0b"])
def test_a_path_that_climbs_is_refused(path: str):
    """A hostile zip writes where it wants if nobody looks."""
    data = write_zip({path: b"x"})

    with pytest.raises(ZipError, match="no path inside a package"):
        list(read_zip(data))


def test_a_file_that_is_in_the_zip_twice_is_refused():
    """One reader sees the first, another the second: what was reviewed is not what was meant."""
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped(("a", b"1"), ("a", b"2"))

    with pytest.raises(ZipError, match="twice"):
        list(read_zip(data))


def test_a_zip_bomb_is_refused_before_it_unfolds():
    """A megabyte that becomes a gigabyte."""
    data = zipped(("bomb", b"\0" * (64 << 20)))
    with pytest.raises(ZipError, match="compressed"):
        list(read_zip(data))
    with pytest.raises(ZipError, match="unpacks to more"):
        list(read_zip(data, ZipLimits(file_bytes=1 << 20)))
    with pytest.raises(ZipError, match="unpacks to more"):
        list(read_zip(zipped(*((str(n), b"x" * 100) for n in range(20))), ZipLimits(total_bytes=1000)))
    with pytest.raises(ZipError, match="holds 20 files"):
        list(read_zip(zipped(*((str(n), b"") for n in range(20))), ZipLimits(files=19)))


def test_a_directory_that_lies_about_sizes_does_not_unfold_more_than_it_says():
    """The other way to build a bomb: promise ten bytes and pack a gigabyte."""
    data = zipped(("bomb", b"\0" * (8 << 20)))
    lying = data.replace(struct.pack("<I", 8 << 20), struct.pack("<I", 10))

    with pytest.raises(ZipError, match="is damaged"):
        list(read_zip(lying))


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip at all" * 100, write_zip({"a": b"b" * 100})[:-30]])
def test_what_is_no_zip_is_one_clear_error(data: bytes):
    """A truncated download ends in a sentence."""
    with pytest.raises(ZipError):
        list(read_zip(data))


@given(st.data())
def test_a_damaged_zip_never_ends_in_a_traceback(data: st.DataObject):
    """Whatever a flipped byte does: an error of ours, or the same files, never wrong content."""
    files = {"a/b.xml": b"<x/>" * 20, "c": b""}
    whole = bytearray(write_zip(files))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    try:
        found = dict(read_zip(bytes(whole)))
    except ZipError:
        return
    assert sorted(files.values()) == sorted(found.values()) or len(found) < len(files)


def test_the_crc_is_checked():
    """A byte that changed on the way must not become a setting."""
    whole = write_zip({"a": b"isPkceRequired true"})

    with pytest.raises(ZipError, match="damaged"):
        list(read_zip(whole.replace(b"true", b"fals", 1)))


def test_groups_are_packed_in_order_and_kept_whole():
    """An app without its OAuth settings is refused: related components travel together."""
    groups = [[app(name), oauth(name)] for name in "abcd"]

    packed = split(groups, Limits(files=3 + 4))

    assert [groups[0] + groups[1], groups[2] + groups[3]] == packed


def test_an_apex_class_counts_twice():
    """Its source and its meta file are two files."""
    assert [[apex("A")], [apex("B")]] == split([[apex("A")], [apex("B")]], Limits(files=3 + 3))
    assert [[apex("A"), apex("B")]] == split([[apex("A")], [apex("B")]], Limits(files=3 + 4))


def test_large_components_are_split_by_size():
    """39 MB are reached by few classes, or many icons."""
    groups = [[app(name, description="x" * 5000)] for name in "abc"]

    assert [groups[0], groups[1], groups[2]] == split(groups, Limits(zip_bytes=8000))
    assert [groups[0] + groups[1], groups[2]] == split(groups, Limits(zip_bytes=13000))


def test_a_group_beyond_every_limit_is_cut_in_its_own_order():
    """One handler for five thousand apps makes them all one group; each part can still land after the one before."""
    group = [app(name) for name in "abcde"] + [handler()]

    packed = split([[app("z")], group], Limits(files=3 + 2))

    assert [[app("z")], group[:2], group[2:4], group[4:]] == packed


def test_nothing_to_deploy_is_no_deployment():
    """An empty plan must not send an empty package."""
    assert [] == split([], Limits())


def test_retrieves_are_cut_at_the_limit_in_the_order_of_names():
    """An app and its satellites begin alike, so they mostly come together."""
    names = [("a", "ExternalClientApplication", 1), ("a_oauth", "ExtlClntAppOauthSettings", 1), ("b", "ApexClass", 2)]

    assert [
        {"ExternalClientApplication": ["a"], "ExtlClntAppOauthSettings": ["a_oauth"]},
        {"ApexClass": ["b"]},
    ] == list(parts(names, 3))
