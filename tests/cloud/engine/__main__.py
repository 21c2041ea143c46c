"""MiniStack with what it lacks to deploy template.yaml: `.venv-cloud/bin/python tests/cloud/engine`.

Each module here mends one part of MiniStack before its server starts, and says what AWS does instead. MiniStack is
configured by environment variables: `support.cloud.engine` sets them.
"""

import api_document
import environments
import permissions
import resources
import transform
from ministack.app import main

import objects

for part in (api_document, environments, objects, permissions, resources, transform):
    part.mend()
main()
