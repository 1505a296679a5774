// A picture as a camera's file: a PNG with a sky, a hill and a sun, of any size.

import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

/** Its bytes. */
export function picture(width, height) {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const hill = height * (0.62 + 0.16 * Math.sin((x / width) * 5) + 0.04 * Math.sin((x / width) * 23));
      const sun = Math.hypot(x - width * 0.72, y - height * 0.3) < height * 0.11;
      const shade = y / height;
      const colour = y > hill ? [70 - 30 * shade, 118 - 30 * shade, 84 - 30 * shade] : sun ? [255, 226, 158] : [150 + 90 * shade, 190 + 40 * shade, 222];
      rows.set(colour.map(Math.round), y * (1 + width * 3) + 1 + x * 3);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}
