import test from 'ava'
// @ts-expect-error: plain JavaScript
import { dated, notesIn } from '../../scripts/release/changelog.mjs'

const text =
  '# Changelog\n\n## Unreleased\n\nNew.\n\n- A thing.\n\n## 0.2.0 (2026-01-02)\n\nOld.\n\n## 0.2.0-beta (2026-01-01)\n\nOlder.\n'

test('the notes of a version are its section, of nothing else', (t) => {
  t.is(notesIn(text, 'Unreleased'), 'New.\n\n- A thing.')
  t.is(notesIn(text, '0.2.0'), 'Old.')
  t.is(notesIn(text, '0.2.0-beta'), 'Older.')
  t.throws(() => notesIn(text, '0.3.0'), { message: /nothing to say of 0\.3\.0/ })
})

test('dating moves what is unreleased under the version', (t) => {
  const after = dated(text, '0.3.0', '2026-02-03')
  t.is(notesIn(after, '0.3.0'), 'New.\n\n- A thing.')
  t.throws(() => notesIn(after, 'Unreleased'))
  t.throws(
    () => dated(after, '0.4.0', '2026-02-04'),
    { message: /nothing to say/ },
    'a release without notes',
  )
  t.is(notesIn(after, '0.2.0'), 'Old.')
})
