/**
 * Where an event stream stands, so that it can be asked for from there when it was closed (2025-11-25, transports,
 * "Resumability and Redelivery"; WHATWG HTML, section 9.2.6).
 */
const longestRetryMs = 30_000
/** What can stand in a header. */
const plainId = /^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/

export class StreamPlace {
  /** The id of the last event that had one; undefined when the stream cannot be resumed. */
  lastEventId: string | undefined
  /** How long the server wants us to wait before we ask again. */
  retryMs = 1000

  /** Takes note of the bytes of one event. */
  note(raw: Buffer): void {
    if (!raw.includes('id:') && !raw.includes('retry:')) return
    for (const line of raw.toString('utf8').split(/\r\n|\r|\n/)) {
      const [, field, value = ''] = /^(id|retry): ?(.*)$/.exec(line) ?? []
      if (field === 'id') this.lastEventId = plainId.test(value) ? value : undefined
      if (field === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Math.min(Number(value), longestRetryMs)
    }
  }
}
