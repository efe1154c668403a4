# Built by you, nothing is published:
#   docker build -t fairface .                               CPU
#   docker build -t fairface --build-arg DEVICE=cu112 .      NVIDIA GPU; run with: docker run --gpus all …
#   docker run --rm -v "$PWD/models:/fairface/models" fairface ./train.sh
FROM python:3.11-slim
ARG DEVICE=cpu
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 libquadmath0 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /fairface
COPY requirements.lock pyproject.toml ./
# mxnet and mxnet-cu112 are twins: only one may be installed.
RUN if [ "$DEVICE" = cpu ]; then cp requirements.lock /tmp/lock; else grep -v '^mxnet==' requirements.lock > /tmp/lock; fi \
    && pip install --no-cache-dir -r /tmp/lock
COPY . .
RUN pip install --no-cache-dir --no-build-isolation -c requirements.lock -e ".[$DEVICE,demo,dev]"
CMD ["./train.sh"]
