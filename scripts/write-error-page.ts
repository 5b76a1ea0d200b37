/** Writes `docs/errors.md` from the table of error codes: `node scripts/write-error-page.ts`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorPage } from '../contract/src/error-page.ts'

writeFileSync(join(import.meta.dirname, '../docs/errors.md'), errorPage())
