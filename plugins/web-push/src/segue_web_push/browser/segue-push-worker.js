// Segue's service worker for web push: shows what comes, and opens the page when it is clicked.
// Serve it from your own site, at its root: /segue-push-worker.js.
'use strict'

self.addEventListener('push', (event) => {
  let sent
  try {
    sent = event.data.json()
  } catch {
    sent = {}
  }
  if (typeof sent.title !== 'string') return // not Segue's
  const options = { body: sent.body, icon: sent.icon, image: sent.image, tag: sent.tag, data: { url: sent.url } }
  event.waitUntil(self.registration.showNotification(sent.title, options))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const { url } = event.notification.data || {}
  const target = new URL(url || '/', self.location.origin)
  if (target.protocol !== 'https:' && target.origin !== self.location.origin) return
  event.waitUntil((async () => {
    const open = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
    const there = open.find((page) => page.url === target.href)
    return there ? there.focus() : self.clients.openWindow(target.href)
  })())
})

self.addEventListener('pushsubscriptionchange', (event) => {
  // A browser may renew a subscription by itself. The page tells Segue of the new one when it is opened next.
  const old = event.oldSubscription
  if (old) event.waitUntil(self.registration.pushManager.subscribe(old.options))
})
