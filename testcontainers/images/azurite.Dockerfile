# Azurite under the vendor's name: the program of Node.js and a tree of packages.
FROM local/debian:bookworm
COPY node /usr/local/bin/node
COPY node_modules /opt/app/node_modules
RUN ln -s /opt/app/node_modules/.bin/azurite* /usr/local/bin/
WORKDIR /opt/azurite
VOLUME /data
EXPOSE 10000 10001 10002
CMD ["azurite", "-l", "/data", "--blobHost", "0.0.0.0", "--queueHost", "0.0.0.0", "--tableHost", "0.0.0.0"]
