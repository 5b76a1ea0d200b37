/** The lines that are kept of a server: those of all processes of a gateway together, in the order of their times. */
import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { logFolder, type ServerLogLine } from '../../tools/runners/server-logs.ts'
import { spelledOut } from '../reviewing/definition-diff.ts'

const lineSchema = z.object({
  at: z.number(),
  pid: z.number().optional(),
  line: z.string().optional(),
  event: z.string().optional(),
})

/** All that are kept, oldest first. */
export async function keptLines(folder: string, server: string): Promise<readonly ServerLogLine[]> {
  const own = logFolder(folder, server)
  const names = await filesIn(own)
  const texts = await Promise.all(names.map((name) => readFile(join(own, name), 'utf8').catch(() => '')))
  return texts.flatMap((text) => linesIn(text)).sort((one, other) => one.at - other.at)
}

/** Reads what is written from now on, each time it is asked. */
export class FollowedLines {
  readonly #folder: string
  /** File -> how far it was read, and which file that was. */
  readonly #read = new Map<string, { readonly inode: number; readonly offset: number }>()

  constructor(folder: string, server: string) {
    this.#folder = logFolder(folder, server)
  }

  async next(): Promise<readonly ServerLogLine[]> {
    const found: ServerLogLine[] = []
    const names = await filesIn(this.#folder)
    // A file that was full has another name now: what was read of it counts by what it is.
    const known = new Map([...this.#read.values()].map(({ inode, offset }) => [inode, offset]))
    for (const name of names) {
      const handle = await open(join(this.#folder, name)).catch(() => undefined)
      if (handle === undefined) continue
      try {
        const { ino: inode, size } = await handle.stat()
        const from = known.get(inode) ?? 0
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size - from)), 0, Math.max(0, size - from), from)
        // The last line may be half written.
        const whole = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1
        found.push(...linesIn(buffer.toString('utf8', 0, whole)))
        this.#read.set(name, { inode, offset: from + whole })
      } finally {
        await handle.close()
      }
    }
    return found.sort((one, other) => one.at - other.at)
  }
}

/** One line, for people. What a server writes cannot act on a terminal. */
export function shownLine({ at, pid, line, event }: ServerLogLine): string {
  return `${new Date(at).toISOString()}  ${pid ?? '-'}  ${event === undefined ? spelledOut(line ?? '') : `[${spelledOut(event)}]`}`
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => name.endsWith('.jsonl')).sort()
}

function linesIn(text: string): ServerLogLine[] {
  return text.split('\n').flatMap((one) => {
    try {
      const { data } = lineSchema.safeParse(JSON.parse(one))
      return data === undefined ? [] : [definedOnly(data)]
    } catch {
      return []
    }
  })
}

function definedOnly({ at, pid, line, event }: z.infer<typeof lineSchema>): ServerLogLine {
  return { at, ...(pid === undefined ? {} : { pid }), ...(line === undefined ? {} : { line }), ...(event === undefined ? {} : { event }) }
}
