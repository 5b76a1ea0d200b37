/** What a server says of itself, as far as it tells whether everything that was written is still there. */

export interface ServerReport {
  /** Another one after every start. */
  readonly run: string
  /** Values it has thrown away for want of memory since it started. */
  readonly evicted: number
  /** Whether it writes down every change. */
  readonly hasAppendOnly: boolean
  /** Whether it was a copy of another one before. */
  readonly wasPromoted: boolean
  /** `maxmemory-policy`; undefined when it does not say. */
  readonly evictionPolicy: string | undefined
}

/** Reads the answer to INFO. */
export function readServerReport(info: string): ServerReport {
  const value = (name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]
  return {
    run: value('run_id') ?? '',
    evicted: Number(value('evicted_keys') ?? 0),
    hasAppendOnly: value('aof_enabled') === '1',
    wasPromoted: Number(value('second_repl_offset') ?? -1) >= 0,
    evictionPolicy: value('maxmemory_policy'),
  }
}

/** What is noted of a server: by what comes next it is told whether something was lost. */
export function noteOf({ run, evicted }: ServerReport): string {
  return `${run} ${evicted}`
}

/**
 * Whether something that was there when the note was written may be gone. A server that was started again without a list of
 * changes came back with what it had saved some time before. One that took over from another had a copy of nearly
 * everything, and is taken for whole.
 */
export function hasLostSince(note: string, { run, evicted, hasAppendOnly, wasPromoted }: ServerReport): boolean {
  const [notedRun = '', notedEvicted = '0'] = note.split(' ')
  if (notedRun === run) return evicted > Number(notedEvicted)
  return !hasAppendOnly && !wasPromoted
}
