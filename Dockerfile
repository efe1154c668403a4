# Built by you, nothing is published; docs/running.md tells how it is used:
#   docker build -t fairface .                               CPU
#   docker build -t fairface --build-arg DEVICE=cu112 .      NVIDIA GPU
FROM python:3.11-slim-bookworm
ARG DEVICE=cpu
RUN apt-get update \
    && apt-get install -y --no-install-recommends git libgomp1 libquadmath0 make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /fairface
COPY requirements.lock pyproject.toml ./
# mxnet and mxnet-cu112 are twins: only one may be installed.
RUN if [ "$DEVICE" = cpu ]; then cp requirements.lock /tmp/lock; else grep -v '^mxnet==' requirements.lock > /tmp/lock; fi \
    && pip install --no-cache-dir -r /tmp/lock
COPY . .
# Any user may write here: files belong to the caller with --user, who has no home in the container.
RUN pip install --no-cache-dir --no-build-isolation -c requirements.lock -e ".[$DEVICE,demo,dev]" \
    && chmod -R a+rwX /fairface
ENV HOME=/tmp
CMD ["./train.sh"]
