/**
 * The append-only file of checkpoints outside the database. A line is complete or, after a crash or on a full disk,
 * cut off: what follows the last line break never counts.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { isMissing } from '../store/private-files.ts'
import { checkpointLine, readCheckpointLine, type Checkpoint } from './checkpoint.ts'

export interface AnchorLine {
  /** Counted from 1. */
  readonly line: number
  /** Undefined when the line is not a checkpoint. */
  readonly checkpoint: Checkpoint | undefined
}

/** The complete lines of the file; none when there is no file. */
export function readAnchor(path: string): AnchorLine[] {
  const text = readText(path)
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  lines.pop()
  return lines.map((line, index) => ({ line: index + 1, checkpoint: readCheckpointLine(line) }))
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return ''
    throw error
  }
}

/** The writer's end. Opening cuts off a torn last line. */
export class AnchorFile {
  readonly #file: number
  #length: number

  constructor(path: string) {
    const text = readText(path)
    this.#length = Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1))
    this.#file = openSync(path, 'a', 0o600)
    if (this.#length < Buffer.byteLength(text)) ftruncateSync(this.#file, this.#length)
  }

  /** Appends one line and waits until it is on disk. A line that could be written in part only is taken back. */
  append(checkpoint: Checkpoint): void {
    const line = Buffer.from(`${checkpointLine(checkpoint)}\n`)
    try {
      if (writeSync(this.#file, line) < line.length) throw new Error('the checkpoint could be written in part only')
      fsyncSync(this.#file)
      this.#length += line.length
    } catch (error) {
      ftruncateSync(this.#file, this.#length)
      throw error
    }
  }

  close(): void {
    closeSync(this.#file)
  }
}
