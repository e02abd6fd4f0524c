"""Pure views: values in, HTML, figures or payloads out. No Gradio, no files; everything is escaped."""
