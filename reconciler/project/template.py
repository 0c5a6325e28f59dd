"""The files that `init` writes, as text: a project file, and what Git is not to keep. Pure."""

import re
from urllib.parse import urlsplit

from reconciler.errors import Complaint, InputError
from reconciler.project.loading import DESIRED
from reconciler.yaml import rendering

IGNORED = """\
# Baselines say what was last applied: keep them in Git. Locks, journals, mock orgs and recordings are of this machine.
.reconciler/*
!.reconciler/baselines/
.reconciler/baselines/*
!.reconciler/baselines/*.json
"""
_HEAD = """\
# What this project declares, and the orgs that it is for.
project: {name}
{desired}
orgs:
"""
_DESIRED = f"desired: {DESIRED}"
_SFDX = "desired: .   # the package directories of sfdx-project.json; `desired: [., identity]` adds a folder for YAML"
_MOCK = """\
  {org}:
    mock: .reconciler/orgs/{org}.db   # a mock org on this machine, made when it is first used
"""
_ALIAS = """\
  {org}:
    login: {{flow: sf, alias: {alias}}}   # as the Salesforce CLI has logged in
    # org_id: 00D…   # pin the org, so that no other one can be meant: `reconciler doctor` shows its id
"""
_URL = """\
  {org}:
    instance_url: {url}
    # org_id: 00D…   # pin the org, so that no other one can be meant: `reconciler doctor` shows its id
    login:   # other ways: docs/logins.md
      flow: jwt
      client_id: "${{env.SF_CLIENT_ID}}"
      username: "${{env.SF_USERNAME}}"
      private_key: {{secret: {{env: SF_PRIVATE_KEY}}}}
"""


def project_file(folder: str, org: str, *, sfdx: bool = False) -> str:
    """The text of `reconciler.yaml` for a project in a folder of that name, with one org: `mock`, the address of one, or an
    alias of the Salesforce CLI. `sfdx`: the folder is a project of that CLI, whose files are the desired ones. Raises
    InputError for an address that is none."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder).strip("-._")[:100] or "identity"
    return _HEAD.format(name=rendering.text(name), desired=_SFDX if sfdx else _DESIRED) + _org(org)


def _org(org: str) -> str:
    if org == "mock":
        return _MOCK.format(org="dev")
    if "://" not in org and "." in org and "@" not in org and org.lower().endswith(_HOSTS):
        org = f"https://{org}"
    if "://" not in org:
        return _ALIAS.format(org=rendering.text(org), alias=rendering.text(org))
    parts = urlsplit(org)
    if not parts.hostname or parts.scheme not in ("https", "http") or parts.username or parts.password:
        mend = "write https:// and the host, as the browser shows it: https://acme.my.salesforce.com"
        raise InputError(Complaint("this is not the address of an org", mend=mend))
    url = f"{parts.scheme}://{parts.netloc}"
    return _URL.format(org=rendering.text(parts.hostname.split(".")[0]), url=rendering.text(url))


_HOSTS = (".salesforce.com", ".salesforce.mil", ".force.com", ".sfcrmproducts.cn")


def ignored(known: str) -> str:
    """Return what to add to a `.gitignore`; empty if all of it is there already."""
    lines = known.splitlines()
    wanted = [line for line in IGNORED.splitlines() if not line.startswith("#")]
    if all(line in lines for line in wanted):
        return ""
    blank = "" if not known or known.endswith("\n\n") else "\n" if known.endswith("\n") else "\n\n"
    return f"{blank}{IGNORED}"
