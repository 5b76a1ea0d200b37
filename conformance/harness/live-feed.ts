/** `/api/live` as a client follows it: server-sent events, read with nothing of ours. */
export interface FollowedRecord {
  readonly id: string
  readonly kind: string
  readonly type: string
  readonly subject: string
  readonly principal: string
  readonly turn: string | null
}

export interface FollowedFeed {
  readonly status: number
  readonly records: readonly FollowedRecord[]
  readonly gaps: readonly unknown[]
  /** The code the stream ended with. */
  readonly end: string | undefined
  readonly isOver: boolean
  /** The last id. */
  readonly id: string | undefined
  /** Goes away without a word. */
  leave(): void
}

/** Resolves when the answer has begun. */
export async function followFeed(url: string, headers: Readonly<Record<string, string>>): Promise<FollowedFeed> {
  const stop = new AbortController()
  const answer = await fetch(url, { headers: { ...headers }, signal: stop.signal })
  const records: FollowedRecord[] = []
  const gaps: unknown[] = []
  const seen: { id?: string; end?: string; isOver: boolean } = { isOver: false }
  const take = (block: string): void => {
    const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
    const data = fields.get('data')
    const told = data === undefined ? undefined : (JSON.parse(data) as unknown)
    const event = fields.get('event')
    if (event === 'decisions') records.push(...(told as { decisions: { record: FollowedRecord }[] }).decisions.map(({ record }) => record))
    else if (event === 'gap') gaps.push(told)
    else if (event === 'end') seen.end = (told as { error: { code: string } }).error.code
    const id = fields.get('id')
    if (id !== undefined) seen.id = id
  }
  const read = async (): Promise<void> => {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const bytes of answer.body ?? []) {
      const blocks = `${rest}${decoder.decode(bytes as Uint8Array, { stream: true })}`.split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) take(block)
    }
  }
  read()
    .catch(() => {})
    .finally(() => (seen.isOver = true))
  return {
    status: answer.status,
    records,
    gaps,
    get end() {
      return seen.end
    },
    get isOver() {
      return seen.isOver
    },
    get id() {
      return seen.id
    },
    leave: () => stop.abort(),
  }
}
