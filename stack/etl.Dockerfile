# An image that has etl/ and all that it needs, and no Airflow: what TRANSACTIONS_IMAGE may name.
#
#   docker build -f stack/etl.Dockerfile -t warehouse-etl:1 .
ARG PYTHON_IMAGE=python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

FROM ${PYTHON_IMAGE} AS installer
ARG PIP_INDEX_URL=
ARG PIP_EXTRA_INDEX_URL=
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/installer && /opt/installer/bin/pip install -q uv
COPY constraints/airflow-3.3.txt /opt/constraints.txt
COPY pyproject.toml /opt/
RUN python3 -m venv --without-pip /opt/python \
 && UV_DEFAULT_INDEX=${PIP_INDEX_URL} UV_INDEX=${PIP_EXTRA_INDEX_URL} \
    /opt/installer/bin/uv pip install -q -p /opt/python/bin/python -c /opt/constraints.txt \
    --group /opt/pyproject.toml:etl

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/python/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8 TZ=UTC PYTHONPATH=/opt/warehouse
RUN useradd --uid 50000 --create-home stack
COPY --from=installer /opt/python /opt/python
COPY etl /opt/warehouse/etl
USER stack
WORKDIR /home/stack
