"""The service: images in, maps out, over HTTP; processes that compute, a queue with an end, figures of itself."""
