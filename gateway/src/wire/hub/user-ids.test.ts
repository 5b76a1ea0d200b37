import { describe, expect, test } from 'vitest'
import { acceptedUser } from './user-ids.ts'

describe('whom a request is for', () => {
  test.each(['u1', 'team:alice', '6f1c2a52-9f0e-4c1b-8f57-0a7a6c0a1d11'])('%s is told as it is', (user) => {
    expect(acceptedUser(user, 64)).toBe(user)
  })

  test.each(['ann@example.org', '+49 170 5550199', '01705550199', 'x'.repeat(65), 'Ann Müller', ''])(
    'what a vendor may refuse is told as a hash of letters: %s',
    (user) => {
      const told = acceptedUser(user, 64)
      expect(told).toMatch(/^user_[a-p]{32}$/)
      expect(acceptedUser(user, 64)).toBe(told)
      expect(acceptedUser(`${user}.`, 64)).not.toBe(told)
    },
  )
})
