import { expect, test } from 'vitest'
import { decodeFrame, encodeFrame, FrameReader, type Said } from './frames.ts'

const said: readonly Said[] = [
  { id: 1, kind: 'read', head: ['a "b"\n', null, { n: 1.5 }], texts: [] },
  { id: 0, kind: 'told', head: null, texts: ['', 'é😀\0\n', 'x'.repeat(70_000)] },
  { id: 2 ** 40, kind: '=', head: 'ü', texts: ['{"a":1}'] },
]

test('what a frame holds comes out as it was put in', () => {
  expect(decodeFrame(encodeFrame(said))).toEqual(said)
  expect(decodeFrame(encodeFrame([]))).toEqual([])
})

test.each([1, 2, 7, 8, 9, 1000, 65_536, 1_000_000])('frames come out whole and in order when their bytes come %d at a time', (size) => {
  const bytes = Buffer.concat([encodeFrame(said), encodeFrame([]), encodeFrame(said.slice(1)), encodeFrame(said)])
  const frames: Said[][] = []
  const reader = new FrameReader((frame) => frames.push(decodeFrame(frame)))
  for (let at = 0; at < bytes.length; at += size) reader.take(bytes.subarray(at, at + size))
  expect(frames).toEqual([said, [], said.slice(1), said])
})

test('a frame is not given before its last byte is there', () => {
  const bytes = encodeFrame(said)
  let frames = 0
  const reader = new FrameReader(() => (frames += 1))
  reader.take(bytes.subarray(0, -1))
  expect(frames).toBe(0)
  reader.take(bytes.subarray(-1))
  expect(frames).toBe(1)
})

test('what is no frame is refused as soon as its length is there, and nothing of it is waited for', () => {
  const reader = new FrameReader(() => {})
  expect(() => reader.take(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))).toThrow(RangeError)
})
