// Takes the given number of bytes of memory, writes to each page and ends. On a virtual machine the first touch of a
// page costs a trip to the host: a fresh machine wrote new cache files three times slower than one whose memory
// had been in use, and whoever came first paid for everybody.

const PIECE_BYTES = 256 * 1024 * 1024;
const pieces: Uint8Array[] = [];
for (let rest = Number(process.argv[2]); rest > 0; rest -= PIECE_BYTES) {
  pieces.push(new Uint8Array(Math.min(rest, PIECE_BYTES)).fill(1));
}
console.log(`touched ${pieces.reduce((sum, piece) => sum + piece.length, 0)} bytes`);
