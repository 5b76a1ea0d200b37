import { expect, test } from 'vitest'
import { WaitingLogger } from './waiting-logger.ts'

test('lines wait until it is known where they go, and come in their order', () => {
  const lines: unknown[] = []
  const at = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message])
  const waiting = new WaitingLogger()
  waiting.warn({ folder: 'a' }, 'first')
  waiting.info({}, 'second')
  expect(lines).toEqual([])
  waiting.handOnTo({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') })
  const early = [
    ['warn', { folder: 'a' }, 'first'],
    ['info', {}, 'second'],
  ]
  expect(lines).toEqual(early)
  waiting.error({ code: 'x' }, 'third')
  waiting.debug({}, 'fourth')
  expect(lines).toEqual([...early, ['error', { code: 'x' }, 'third'], ['debug', {}, 'fourth']])
})
