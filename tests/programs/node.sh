# Node: files, workers, processes, timers, compression, cryptography, streams, watching, local sockets.
# needs: node
node node.js
