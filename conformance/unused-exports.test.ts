/** What is exported is used by another file of the product, and what can go wrong does go wrong somewhere; the rest is dead weight. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { errorCodes } from '../contract/src/error-codes.ts'

const root = join(import.meta.dirname, '..')

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules') && !entry.parentPath.includes('/dist'),
    )
    .map((entry) => join(entry.parentPath, entry.name))
}

const isTest = (path: string): boolean => path.endsWith('.test.ts')
const product = ['gateway/src', 'contract/src'].flatMap(filesBelow)
const users = [...product, ...['bench', 'conformance/harness', 'scripts'].flatMap(filesBelow)].filter((path) => !isTest(path))
const texts = new Map(users.map((path) => [path, readFileSync(path, 'utf8')]))

/** Room for what a test alone may hold on to: seams that later parts of the product come in through. */
const seams = new Set(['memoryCall', 'textSource'])

test('every exported value is used, by its own file or by another one that is no test', () => {
  const words = [...texts].map(([path, text]) => ({ path, words: new Set(text.match(/[\w$]+/g)) }))
  const unused = product
    .filter((path) => !isTest(path) && !path.endsWith('.fixture.ts'))
    .flatMap((path) => {
      const text = texts.get(path) ?? ''
      return [...text.matchAll(/^export\s+(?:async\s+)?(?:function\*?|const|class)\s+([\w$]+)/gm)].map(([, name = '']) => ({
        path,
        name,
        text,
      }))
    })
    .filter(({ path, name, text }) => {
      const own = text.match(new RegExp(`(?<![\\w$])${RegExp.escape(name)}(?![\\w$])`, 'g'))?.length ?? 0
      return own < 2 && !seams.has(name) && !words.some((other) => other.path !== path && other.words.has(name))
    })
  expect(unused.map(({ path, name }) => `${relative(root, path)}: ${name}`)).toEqual([])
})

test('every error code is thrown somewhere', () => {
  const thrown = [...texts]
    .filter(([path]) => path.includes('gateway/src') || path.includes('contract/src/config'))
    .map(([, text]) => text)
    .join('\n')
  expect(Object.keys(errorCodes).filter((code) => !thrown.includes(`'${code}'`))).toEqual([])
})
