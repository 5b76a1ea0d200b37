/**
 * Waiting for what another process does soon, without guessing how soon. The only deadline is that of a test that hangs,
 * and it is long: a machine with much else to do fails no test.
 */
import { setTimeout as pause } from 'node:timers/promises'

/** What has not come by then never comes. Less than the time a test has, so that the failure says what was waited for. */
export const hangsAfterMs = 90_000

/** Polls until `look` gives a value other than false; rejects with the name of what hangs. Errors of `look` end the wait. */
export async function until<T>(what: string, look: () => Promise<T | false | undefined> | T | false | undefined): Promise<T> {
  const end = performance.now() + hangsAfterMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > end) throw new Error(`${what} did not come within ${hangsAfterMs} ms`)
    await pause(25)
  }
}

/** The value of the promise; rejects with the name of what hangs. */
export async function within<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} takes longer than ${hangsAfterMs} ms`)), hangsAfterMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
