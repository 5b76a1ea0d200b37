/** A long text is cut after it was scrubbed: the cut must not make a secret unrecognisable and so let half of it out. */
import { expect, test } from 'vitest'
import { scrubText } from './scrubbing.ts'

const secret = `tw_${'opaque'.repeat(5)}`

test.each([0, 1, 3, 5, 8, 20, secret.length - 1, secret.length])(
  'a secret with %i of its characters before the cut shows none of them',
  (inside) => {
    const text = `${'x'.repeat(8192 - inside - 1)} ${secret} ${'y'.repeat(100)}`
    const clean = scrubText(text)
    expect(clean).not.toMatch(/tw_|opaq/)
    expect(clean.length).toBeLessThanOrEqual(8193)
  },
)
