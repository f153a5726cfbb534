# python3 -m venv, and pip inside it without a network: a wheel built from source, installed, listed, removed
# needs: python3 pip3
# seconds: 300
export PIP_NO_INDEX=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
/usr/bin/python3 -m venv env && . env/bin/activate; echo "venv $?"; python -c 'import sys; print(sys.prefix != sys.base_prefix, sys.version_info[:2])'; ls env/bin | sort
mkdir -p package/small; cd package
printf 'from setuptools import setup\nsetup(name="small", version="1.2", packages=["small"], entry_points={"console_scripts": ["small=small:main"]})\n' > setup.py
printf 'def main():\n    print("small at work", __name__)\n' > small/__init__.py
cd ..; PYTHONPATH=/usr/lib/python3/dist-packages pip wheel --no-build-isolation -w wheels ./package 2>&1 | grep -E "Success|error"; ls wheels; tar czf small-1.2.tar.gz package
pip install wheels/*.whl 2>&1 | grep Success; small; pip list --format=freeze | grep small; pip show small | grep -E "^(Name|Version)"; pip check; python -m compileall -q env/lib/python3*/site-packages/small; pip uninstall -y small 2>&1 | grep Success; pip install ./small-1.2.tar.gz --no-build-isolation 2>&1 | grep -E "Success"; python -c 'import small; small.main()'; pip freeze | cut -d' ' -f1; pip install nothing-there 2>&1 | grep ERROR
python -m pip debug 2>/dev/null | grep -E "^(sys.platform|platform)"; python -m unittest -q 2>&1 | tail -1; python -m json.tool <<< '{"a": [1, 2]}'; python -m zipfile -l wheels/*.whl | awk '{print $1}' | sort
