import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listProblems } from './fault.ts'
import { findPlace, withFault } from './finding-place.ts'
import { allFaults } from './list.ts'
import { readTestFiles, testsFor } from './noticing-tests.ts'
import { readSources } from './sources.ts'

const checkout = join(import.meta.dirname, '../..')

test('every deliberate fault finds its place and its tests', () => {
  const [sources, files, faults] = [readSources(checkout), readTestFiles(checkout), allFaults()]
  const problems = faults.flatMap((fault) => {
    try {
      stripTypeScriptTypes(withFault(findPlace(fault, sources), fault))
      testsFor(fault, files)
      return []
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)]
    }
  })
  expect([...listProblems(faults), ...problems]).toEqual([])
  expect(faults.length).toBeGreaterThan(300)
})
