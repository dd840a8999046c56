"""An export to a private dataset of the Hugging Face hub: push_to_hub.py EXPORT NAME/DATASET

EXPORT is what `avclips export DIR --to hf --output EXPORT` wrote. The clips belong to their uploaders: keep it
private, and ask before you share it. Needs: pip install huggingface_hub; hf auth login
"""

import sys

from huggingface_hub import HfApi

folder, name = sys.argv[1:]
api = HfApi()
api.create_repo(name, repo_type="dataset", private=True, exist_ok=True)
api.upload_large_folder(repo_id=name, repo_type="dataset", folder_path=folder)
