/**
 * Passages of a text as numbers that can be compared: every run of words of a certain weight, hashed with a key. Texts that
 * share such a run share its number, however they are set, wrapped or marked up; no text can be read back from them.
 */
import { createHmac } from 'node:crypto'
import { legibleText } from './legible-text.ts'

/** Words a run has at least; a character of a script without spaces counts half a word. */
export const wordsInRun = 7
const wordWeight = 2
const runWeight = wordsInRun * wordWeight
/** A run of little words says nothing: `if it is not in the` is in every text. */
const lettersInRun = 20
/** Words of a text that are looked at; what lies beyond them is not. */
const mostWords = 200_000

const scripts = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}'
/** What stands between spaces is one word, a path or an address too: who names a file has not repeated what is in it. */
const word = new RegExp(`[${scripts}]|[^\\s${scripts}]+`, 'gu')
const unspaced = new RegExp(`^[${scripts}]`, 'u')
const marks = /[^\p{L}\p{N}\p{M}]+/gu

/** The key of one principal's numbers. */
export interface ShingleKey {
  readonly high: number
  readonly low: number
}

export function shingleKey(secret: Uint8Array, principal: string): ShingleKey {
  const bytes = createHmac('sha256', secret).update('words\0').update(principal).digest()
  return { high: bytes.readUInt32LE(0) | 1, low: bytes.readUInt32LE(4) | 1 }
}

/** One number (48 bits) for every run of words in the text, in order. */
export function shinglesOf(text: string, key: ShingleKey): number[] {
  const hashes: number[] = []
  const weights: number[] = []
  const letters: number[] = []
  for (const [piece] of legibleText(text).normalize('NFKC').toLowerCase().matchAll(word)) {
    if (hashes.length === mostWords) break
    const found = piece.replace(marks, '')
    if (found === '') continue
    hashes.push(hashOf(found, key))
    weights.push(unspaced.test(found) ? 1 : wordWeight)
    letters.push(found.length)
  }
  return runsOf(hashes, weights, letters, key)
}

function runsOf(hashes: readonly number[], weights: readonly number[], letters: readonly number[], key: ShingleKey): number[] {
  const runs: number[] = []
  let end = 0
  let weight = 0
  let length = 0
  for (let start = 0; start < hashes.length; start += 1) {
    while (end < hashes.length && weight < runWeight) {
      weight += weights[end] as number
      length += letters[end] as number
      end += 1
    }
    if (weight < runWeight) break
    if (length >= lettersInRun || weights[start] === 1) runs.push(runHash(hashes, start, end, key))
    weight -= weights[start] as number
    length -= letters[start] as number
  }
  return runs
}

function hashOf(text: string, { low }: ShingleKey): number {
  let hash = low
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash ^ (hash >>> 15)
}

function runHash(hashes: readonly number[], start: number, end: number, { high, low }: ShingleKey): number {
  let first = high
  let second = low
  for (let at = start; at < end; at += 1) {
    const one = hashes[at] as number
    first = Math.imul(first ^ one, 0x85ebca6b)
    first ^= first >>> 13
    second = Math.imul(second ^ (one + at - start), 0xc2b2ae35)
    second ^= second >>> 16
  }
  return (first >>> 16) * 0x1_0000_0000 + (second >>> 0)
}
