"""The usual events of a shop, a website and an app, and the traits of its customers.

Names as sent are those of Segment's ecommerce, mobile, email and SaaS specifications.
Source: https://segment.com/docs/connections/spec/ecommerce/v2/
"""

from __future__ import annotations

from segue.api.vocabulary import EventSpec, FieldSpec, FieldType, Vocabulary

__all__ = ["SHOP"]


def _field(name: str, kind: FieldType, doc: str, *sent_as: str) -> FieldSpec:
    return FieldSpec(name, kind, doc, sent_as)


_ORDER_ID = _field("order_id", "text", "The order's number", "orderId")
_CART_ID = _field("cart_id", "text", "The cart's number", "cartId")
_CHECKOUT_ID = _field("checkout_id", "text", "The checkout's number", "checkoutId")
_PRODUCT_ID = _field("product_id", "text", "The product's id", "productId")
_TOTAL = _field("total", "money", "What the customer pays, with shipping and tax")
_REVENUE = _field("revenue", "money", "What the shop earns, without shipping and tax")
_CURRENCY = _field("currency", "text", "ISO 4217, as in EUR")
_COUPON = _field("coupon", "text", "The discount code that was used")
_PRODUCTS = _field("products", "list", "The lines as sent: objects with product_id, name, price, quantity")
_ITEMS = _field("items", "list", 'The ids of the products, for `"X1" in items`; filled from `products` where not sent')
_PAYMENT = _field("payment_method", "text", "How it was, or will be, paid", "paymentMethod")

_BASKET = (_CURRENCY, _COUPON, _PRODUCTS, _ITEMS)
_ORDER = (
    _ORDER_ID,
    _field("order_number", "text", "The number that the customer knows it by, as in #1001", "orderNumber"),
    _CHECKOUT_ID,
    _CART_ID,
    _TOTAL,
    _REVENUE,
    _field("subtotal", "money", "The lines together, before discount, shipping and tax"),
    _field("shipping", "money", "The cost of shipping"),
    _field("tax", "money", "The tax in the total"),
    _field("discount", "money", "What was taken off"),
    _field("affiliation", "text", "The shop or partner it was bought from"),
    _PAYMENT,
    *_BASKET,
)
_CART = (_CART_ID, _CHECKOUT_ID, _TOTAL, *_BASKET, _field("url", "text", "Where the customer can go on with it"))
_CHECKOUT = (_CHECKOUT_ID, _ORDER_ID, _CART_ID, _TOTAL, _REVENUE, *_BASKET)
_PRODUCT = (
    _PRODUCT_ID,
    _field("sku", "text", "The article number of this variant"),
    _field("name", "text", "The product's name"),
    _field("category", "text", "The product's category"),
    _field("brand", "text", "The product's brand"),
    _field("variant", "text", "Colour, size and the like"),
    _field("price", "money", "The price of one"),
    _field("quantity", "number", "How many"),
    _field("position", "number", "The place in the list it was seen in"),
    _field("url", "text", "The product's page"),
    _field("image_url", "text", "The product's picture", "imageUrl"),
    _CURRENCY,
    _COUPON,
)
_SIGN = (
    _field("method", "text", "Password, Google and the like"),
    _field("plan", "text", "The plan chosen"),
)
_MESSAGE = (
    _field("email_id", "text", "The mail's id at the tool that sent it"),
    _field("email_subject", "text", "The mail's subject"),
    _field("campaign_id", "text", "The campaign's id"),
    _field("campaign_name", "text", "The campaign's name"),
    _field("link_url", "text", "The link that was clicked"),
)
_VIEW = (
    _field("name", "text", "The page's or screen's name"),
    _field("category", "text", "The page's or screen's category"),
)
_APP = (
    _field("version", "text", "The app's version"),
    _field("build", "text", "The app's build"),
    _field("url", "text", "The link that opened the app"),
)
_CHOICE = (
    _field("channel", "text", "The channel meant, as in email; absent for all"),
    _field("kind", "text", "The kind of message meant, as in promotional; absent for all"),
    _field("list", "text", "The list's name"),
    _field("wording", "text", "The version of the text that the customer saw"),
    _field("proof", "text", "What shows that it was said: the form's number, the page, the call"),
)
_GRANT = (
    *_CHOICE,
    _field("basis", "text", "The lawful basis, in the GDPR's words: consent, contract, legitimate_interests …"),
)


def _event(name: str, sent_as: str, doc: str, *fields: FieldSpec) -> EventSpec:
    """``sent_as``: the names as sent, separated by ``|``."""
    return EventSpec(name, fields, tuple(sent_as.split("|")) if sent_as else (), doc)


_SHOPPING = (
    _event("ordered", "Order Completed|Completed Order", "The customer bought", *_ORDER),
    _event("order_updated", "Order Updated", "An order changed", *_ORDER),
    _event("order_cancelled", "Order Cancelled|Order Canceled", "An order was cancelled", *_ORDER),
    _event("order_refunded", "Order Refunded", "An order, or a part of it, was paid back", *_ORDER),
    _event("order_shipped", "Order Shipped|Order Fulfilled", "An order is on its way", *_ORDER),
    _event("order_delivered", "Order Delivered", "An order arrived", *_ORDER),
    _event("item_ordered", "Item Ordered", "One line of an order", _ORDER_ID, *_PRODUCT),
    _event("cart_abandoned", "Cart Abandoned|Abandoned Cart", "A cart was left behind", *_CART),
    _event(
        "cart_updated",
        "Cart Updated",
        "A cart changed; `cart_abandoned` follows where nobody orders: see the setting of its source",
        *_CART,
    ),
    _event("cart_viewed", "Cart Viewed", "The cart was looked at", *_CART),
    _event("product_added", "Product Added|Added Product", "A product went into the cart", _CART_ID, *_PRODUCT),
    _event("product_removed", "Product Removed|Removed Product", "A product left the cart", _CART_ID, *_PRODUCT),
    _event("checkout_started", "Checkout Started", "The checkout began", *_CHECKOUT),
    _event(
        "checkout_step_viewed",
        "Checkout Step Viewed",
        "A step of the checkout was seen",
        _CHECKOUT_ID,
        _field("step", "number", "The step, from 1"),
        _PAYMENT,
    ),
    _event(
        "checkout_step_completed",
        "Checkout Step Completed",
        "A step of the checkout was done",
        _CHECKOUT_ID,
        _field("step", "number", "The step, from 1"),
        _PAYMENT,
    ),
    _event(
        "payment_info_entered", "Payment Info Entered", "How to pay was filled in", _CHECKOUT_ID, _ORDER_ID, _PAYMENT
    ),
    _event("paid", "Payment Received|Order Paid|Paid", "Money arrived", *_ORDER),
    _event(
        "payment_failed",
        "Payment Failed",
        "A payment did not go through",
        _ORDER_ID,
        _TOTAL,
        _CURRENCY,
        _field("reason", "text", "Why"),
    ),
)
_BROWSING = (
    _event("product_viewed", "Product Viewed|Viewed Product", "A product was looked at", *_PRODUCT),
    _event("product_clicked", "Product Clicked", "A product in a list was clicked", *_PRODUCT),
    _event(
        "product_list_viewed",
        "Product List Viewed|Viewed Product Category",
        "A category was looked at",
        _field("list_id", "text", "The list's id"),
        _field("category", "text", "The category"),
        _PRODUCTS,
        _ITEMS,
    ),
    _event(
        "products_searched",
        "Products Searched",
        "The customer searched",
        _field("query", "text", "What was searched for"),
    ),
    _event("product_wished", "Product Added to Wishlist", "A product went on the wish list", *_PRODUCT),
    _event("product_unwished", "Product Removed from Wishlist", "A product left the wish list", *_PRODUCT),
    _event("product_shared", "Product Shared", "A product was shown to somebody", *_PRODUCT),
    _event(
        "product_reviewed",
        "Product Reviewed",
        "The customer wrote a review",
        _PRODUCT_ID,
        _field("review_id", "text", "The review's id"),
        _field("review_body", "text", "What was written"),
        _field("rating", "number", "The stars given"),
    ),
    _event("out_of_stock", "Out of Stock|Product Out of Stock", "A product cannot be had now", *_PRODUCT),
    _event("back_in_stock", "Back In Stock|Product Back In Stock", "A product can be had again", *_PRODUCT),
    _event(
        "price_dropped",
        "Price Dropped",
        "A product costs less than before",
        *_PRODUCT,
        _field("old_price", "money", "The price before"),
    ),
    _event(
        "coupon_applied",
        "Coupon Applied",
        "A discount code was used",
        _ORDER_ID,
        _CART_ID,
        _COUPON,
        _field("discount", "money", "What was taken off"),
    ),
    _event(
        "page_viewed",
        "",
        "A page call: a page of the website was seen",
        *_VIEW,
        _field("url", "text", "The page's address"),
        _field("path", "text", "The path in that address"),
        _field("title", "text", "The page's title"),
        _field("referrer", "text", "The page before"),
        _field("search", "text", "The query in that address"),
    ),
    _event("screen_viewed", "", "A screen call: a screen of the app was seen", *_VIEW),
)
_ACCOUNT = (
    _event("signed_up", "Signed Up|Account Created", "An account was made", *_SIGN),
    _event("signed_in", "Signed In|Logged In", "The customer signed in", *_SIGN),
    _event("signed_out", "Signed Out|Logged Out", "The customer signed out"),
    _event("account_deleted", "Account Deleted", "The account is gone"),
    _event(
        "trial_started",
        "Trial Started",
        "A trial began",
        _field("plan", "text", "The plan tried"),
        _field("trial_end", "date", "When it ends", "trial_end_date"),
    ),
    _event("trial_ended", "Trial Ended", "A trial is over", _field("plan", "text", "The plan tried")),
    _event(
        "subscribed",
        "Subscribed|Newsletter Subscribed",
        "Messages are wished for",
        *_GRANT,
        _field("confirmed", "boolean", "false: it waits to be confirmed (double opt-in), and nothing comes until then"),
    ),
    _event("subscription_confirmed", "Subscription Confirmed", "A subscription was confirmed", *_GRANT),
    _event("unsubscribed", "Unsubscribed|Newsletter Unsubscribed", "Messages are no longer wished for", *_CHOICE),
    _event("group_joined", "", "A group call: the customer belongs to it", _field("group_id", "text", "The group")),
    _event(
        "invited",
        "Invite Sent",
        "The customer invited somebody",
        _field("invitee_email", "text", "Who was invited"),
    ),
)
_APPS = (
    _event("app_installed", "Application Installed", "The app was installed", *_APP),
    _event("app_updated", "Application Updated", "The app was updated", *_APP),
    _event("app_opened", "Application Opened", "The app was opened", *_APP),
    _event("app_backgrounded", "Application Backgrounded", "The app was left"),
    _event("app_uninstalled", "Application Uninstalled", "The app was removed"),
    _event("link_opened", "Deep Link Opened", "A link opened the app", _field("url", "text", "The link")),
    _event(
        "address_gone",
        "",
        "A provider said for the first time that an address of the customer is dead. Segue's own",
        _field("channel", "text", "The channel that found out"),
        _field("address", "text", "Which address: email, phone, push_token …"),
        _field("reason", "text", "The provider's words"),
        _field("message", "text", "The message that could not be delivered"),
    ),
    # What other tools' mails brought; reactions to Segue's own messages have words of their own (`opened`).
    _event("email_delivered", "Email Delivered", "Another tool's mail arrived", *_MESSAGE),
    _event("email_opened", "Email Opened", "Another tool's mail was opened", *_MESSAGE),
    _event("email_clicked", "Email Link Clicked", "A link in another tool's mail was clicked", *_MESSAGE),
    _event("email_bounced", "Email Bounced", "Another tool's mail came back", *_MESSAGE),
    _event("email_complained", "Email Marked as Spam", "Another tool's mail was called spam", *_MESSAGE),
)

_TRAITS = (
    _field("email", "text", "Where mail reaches the customer"),
    _field("phone", "text", "Where calls, SMS and WhatsApp reach the customer, best in E.164"),
    _field("push_token", "text", "The device's token for app push", "pushToken"),
    _field("web_push_token", "text", "The browser's subscription for web push", "webPushToken"),
    _field("postal_address", "text", "Where a letter reaches the customer", "postalAddress"),
    _field("first_name", "text", "First name", "firstName", "firstname"),
    _field("last_name", "text", "Last name", "lastName", "lastname"),
    _field("name", "text", "Full name"),
    _field("username", "text", "Name at signing in"),
    _field("title", "text", "Title at work"),
    _field("company", "text", "The company's name"),
    _field("company_id", "text", "The company's id"),
    _field("gender", "text", "Gender, as the shop notes it"),
    _field("age", "number", "Years"),
    _field("birthday", "date", "Day of birth"),
    _field("created_at", "date", "When the account was made", "createdAt"),
    _field("street", "text", "Street and number"),
    _field("city", "text", "Town"),
    _field("state", "text", "State or region"),
    _field("postal_code", "text", "Postal code", "postalCode"),
    _field("country", "text", "Country, best in ISO 3166 (FI)"),
    _field("language", "text", "Language, best in ISO 639 (fi)"),
    _field("locale", "text", "Language and country (fi-FI); else that of the device"),
    _field("timezone", "text", "Time zone by its IANA name (Europe/Helsinki); else that of the device"),
    _field("plan", "text", "The plan the customer is on"),
    _field("vip", "boolean", "Whether the customer is one of the best"),
    _field("group_id", "text", "The group the customer belongs to", "groupId"),
    _field("preferred_channel", "text", "The channel the customer likes best, as in sms", "preferredChannel"),
    _field("preferred_channel_promotional", "text", "The same for promotional messages"),
    _field("preferred_channel_informational", "text", "The same for informational messages"),
    _field("frequency_promotional", "text", "daily, weekly or monthly: at most one promotional message in that time"),
    _field("frequency_informational", "text", "The same for informational messages"),
    _field("avatar", "text", "Address of a picture"),
    _field("website", "text", "Address of the customer's own site"),
    _field("description", "text", "What is noted about the customer"),
)

SHOP = Vocabulary(events=(*_SHOPPING, *_BROWSING, *_ACCOUNT, *_APPS), traits=_TRAITS)
"""Everything above, as the hook declares it."""
