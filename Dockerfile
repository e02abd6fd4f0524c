# The page in public mode; docs/deploy.md says how to run it. Not built yet where this was written.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 ift && mkdir /data && chown ift /data
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu \
    && pip install --no-cache-dir -r requirements.txt
COPY app.py LICENSE NOTICE ./
COPY ift ift
COPY playground playground
COPY assets assets

USER ift
ENV IFT_HOME=/data IFT_CACHE=/data/cache HF_HOME=/data/hub GRADIO_ANALYTICS_ENABLED=False
EXPOSE 7860
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/health')"]
CMD ["python", "app.py", "--host", "0.0.0.0", "--port", "7860", "--mode", "public"]
