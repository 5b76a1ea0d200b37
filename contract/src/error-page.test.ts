import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errorPage } from './error-page.ts'

test('docs/errors.md is the table of error codes (`node scripts/write-error-page.ts` writes it)', () => {
  expect(readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')).toBe(errorPage())
})
