"""Real files in an org: pulled into files, they plan nothing, and put into an empty org they make the same records."""

import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.corpus import RealFile, furnish, some_files
from tests.e2e.project import Project
from tests.e2e.test_corpus import NO_SUCH_ELEMENT, each, hold, lost

FILES = some_files(8)
OF_ONE_ORG = ("consumerKey",)
IS_THE_DEFAULT = ("idTokenValidity: ['2'] became None",)
"""What the platform holds where nothing was given: files leave it out, and only some orgs say it."""
pytestmark = pytest.mark.skipif(not FILES, reason="RECONCILER_CORPUS names no folder of real metadata files")


@each(FILES)
def test_a_real_record_is_pulled_and_put_into_another_org(
    project: Project, file: RealFile, tmp_path_factory: pytest.TempPathFactory, fresh_org: Path
):
    """The one who adopts an org of ten years: files that plan a change of production on the first day."""
    furnish(project, file)
    project.configure(api_version=file.api_version)
    hold(project, file)
    shutil.rmtree(project.root / "desired")
    shutil.rmtree(project.root / ".reconciler" / "baselines", ignore_errors=True)

    pulled = project.run("pull")

    assert 0 == pulled.code, pulled.said
    assert ({}, {}) == (project.planned(), project.drifted())
    assert "Pull: nothing to do" in project.run("pull").out

    other = Project(tmp_path_factory.mktemp("other"), fresh_org)
    try:
        furnish(other, file)
        shutil.copytree(project.root / "desired", other.root / "desired", dirs_exist_ok=True)
        shutil.copy(project.root / "reconciler.yaml", other.root / "reconciler.yaml")
        applied = other.run("apply", "--auto-approve")
        assert 0 == applied.code, applied.said
        unknown = NO_SUCH_ELEMENT.get(str(file), "")
        assert not unknown or unknown in pulled.out
        gone = lost(project.held(file.address), other.held(file.address))
        besides = (*filter(None, [unknown]), *OF_ONE_ORG, *IS_THE_DEFAULT)
        carried = [one for one in gone if not any(name in one for name in besides) and not same_certificate(one)]
        # What cannot be carried is named.
        assert [] == [one for one in carried if one.partition(":")[0].rpartition(".")[2] not in pulled.out]
    finally:
        other.org.close()


def same_certificate(change: str) -> bool:
    """Whether a change is that a certificate is written with the lines around it, which orgs give back without."""
    frame = r"-----(BEGIN|END) CERTIFICATE-----|\\n|\s"
    before, _, after = (re.sub(frame, "", part) for part in change.partition(" became "))
    return ".certificate: " in change and before.partition("[")[2] == after.partition("[")[2]
