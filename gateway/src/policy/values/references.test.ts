import { describe, expect, test } from 'vitest'
import { normalText } from './normal-text.ts'
import { referenceText, repositoryOf, soughtReference } from './references.ts'

const stands = (reference: string, text: string) => soughtReference(reference).isIn(normalText(text))

describe('a repository in several arguments', () => {
  test('is one text, with the number of an issue behind it', () => {
    expect(referenceText(['acme', 'shop'], undefined)).toEqual({ reference: 'acme/shop', isNumbered: false })
    expect(referenceText(['acme', 'shop'], 5)).toEqual({ reference: 'acme/shop#5', isNumbered: true })
    expect(referenceText(['acme%2Fweb%2Fshop'], '5')).toEqual({ reference: 'acme/web/shop#5', isNumbered: true })
    expect(referenceText(['acme', 'shop'], '5; drop')).toEqual({ reference: 'acme/shop', isNumbered: false })
    expect(repositoryOf('acme/shop#5')).toBe('acme/shop')
  })

  test.each([[[undefined, 'shop']], [['acme', '']], [['acme/x', 'shop']], [['acme', 'shop#5']], [['acme', '..%2Fshop']], [[7, 'shop']]])(
    'is none where a part is missing or is no part of a path: %j',
    (parts) => {
      expect(referenceText(parts, 5)).toBeUndefined()
    },
  )

  test.each([
    'comment in acme/shop, please',
    'comment in Acme/Shop.',
    '(acme/shop)',
    'acme/shop#12',
    'acme/shop!12',
    'https://github.com/acme/shop',
    'https://github.com/acme/shop/pull/12/files?w=1#r7',
    'git clone git@github.com:acme/shop.git',
    'git.corp.example:8443/acme/shop/-/issues',
    '`github.com/acme/shop`',
  ])('stands in %s', (text) => {
    expect(stands('acme/shop', text)).toBe(true)
  })

  test.each([
    'acme has a shop',
    'acme/web and evil/shop',
    'evil-acme/shop',
    'acme/shop-evil',
    'acme/shop.evil',
    'evil/acme/shop',
    'evil/acme/shop#12',
    'src/acme/shop/index.ts',
    'acme/shop/index.ts',
    'bob@acme/shop',
    'https://evil.example/x/acme/shop',
    'https://github.com/acme/shopping',
    'https://github.com/acme/shop.gitx',
    'acm\u0435/shop',
    '',
  ])('does not stand in %j', (text) => {
    expect(stands('acme/shop', text)).toBe(false)
  })
})

describe('an issue of a repository', () => {
  test.each([
    'acme/shop#5',
    'acme/shop!5 is wrong',
    'issue 5 of acme/shop',
    '#5 in acme/shop',
    'https://github.com/acme/shop/issues/5#issuecomment-1',
    'https://github.com/acme/shop/pull/5/files',
    'https://git.corp.example/acme/shop/-/merge_requests/5',
    'not acme/shop#6 but acme/shop#5',
  ])('stands in %s', (text) => {
    expect(stands('acme/shop#5', text)).toBe(true)
  })

  test.each(['acme/shop', 'acme/shop#57', 'acme/shop#6', 'evil/shop#5', 'https://github.com/acme/shop/issues/57', 'v1.5 of acme/shop'])(
    'does not stand in %s',
    (text) => {
      expect(stands('acme/shop#5', text)).toBe(false)
    },
  )

  test('stands nowhere behind more places than are looked at', () => {
    expect(stands('acme/shop#5', `${'acme/shop '.repeat(900)}acme/shop#5`)).toBe(true)
    expect(stands('acme/shop#5', `${'acme/shop '.repeat(1100)}acme/shop#5`)).toBe(false)
  })

  test('is said back from its parts, in whatever arguments they were', () => {
    const { isSaidBackFrom } = soughtReference('acme/shop#5')
    expect(isSaidBackFrom?.(normalText('5\0shop\0acme'))).toBe(true)
    expect(isSaidBackFrom?.(normalText('5\0shop'))).toBe(false)
  })
})
