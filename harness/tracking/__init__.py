"""MLflow as a mirror of run folders: files are the truth, MLflow shows them; delete it and nothing is lost.

`follow.py`    what a driver uses: mirrors its run folder from a background thread, and never stops a run
`mirror.py`    what is mirrored, and where it stands
`tree.py`      an MLflow run for the folder, and a child for each trial and for the untrained model
`runs.py`      one MLflow run: what it holds already, and batches of what it lacks
`files.py`     what the folder has to say since the last look; knows nothing of MLflow
`describe.py`  tags and parameters
`address.py`   what of a store's address MLflow is told, people may see, and nobody
`store.py`     which store, made once under a lock, and what counts as unavailable
`names.py`     metric names that MLflow accepts, and back
`dashboard.py` MLflow's own pages on the right store

mlflow takes seconds to import: every import of it is inside a function.
"""

from __future__ import annotations

from harness.tracking.dashboard import dashboard, mirror_now
from harness.tracking.follow import Follower
from harness.tracking.mirror import Mirror
from harness.tracking.store import Unavailable, store_uri

__all__ = ["Follower", "Mirror", "Unavailable", "dashboard", "mirror_now", "store_uri"]
