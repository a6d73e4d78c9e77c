"""All faults that are drawn."""

from __future__ import annotations

from tests.soundness.faults_of_code import CALENDAR, ERRORS, LATE, TASKS, VALUES
from tests.soundness.faults_of_files import FILES
from tests.soundness.faults_of_rows import ROWS
from tests.soundness.faults_of_services import SERVICES
from tests.soundness.faults_of_structure import STRUCTURE

FAULTS = (*ROWS, *STRUCTURE, *VALUES, *TASKS, *FILES, *LATE, *CALENDAR, *SERVICES, *ERRORS)
