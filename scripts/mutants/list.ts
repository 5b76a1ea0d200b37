/** Every deliberate fault. To add one: the smallest change that breaks a promise, and the tests that keep it, in a file of `faults/`. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readFaults, type Fault } from './fault.ts'

const folder = join(import.meta.dirname, 'faults')

/** Throws an Error that names the file and what cannot be read in it. */
export function allFaults(): readonly Fault[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((file) => {
      try {
        return readFaults(readFileSync(join(folder, file), 'utf8'))
      } catch (error) {
        throw new Error(`scripts/mutants/faults/${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      }
    })
}
