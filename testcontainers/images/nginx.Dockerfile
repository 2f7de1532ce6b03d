# nginx under the vendor's name, from Debian's package.
FROM local/debian:bookworm
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends nginx \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
