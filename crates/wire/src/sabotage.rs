//! Deliberately broken variants of this program, by which a test shows that it can fail.
//!
//! **Only the test kit can switch one on**, for its own thread: the switch exists under the feature
//! `sabotage`, which no program we give anybody is built with. Without it every question is answered
//! `false` at compile time.

/// A promise that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sabotage {
    /// The relay gives its receipts before the commit.
    ReceiptBeforeCommit,
    /// The relay says that it kept what no longer fitted on its disk.
    FullDiskSwallowed,
    /// The relay believes a cursor without looking at its chain.
    CursorWithoutChain,
    /// A wider scope does not make a device read from the beginning.
    WidenedIgnored,
    /// A document that comes into a scope comes without what was written before.
    MovedInIgnored,
    /// The relay sends a device what is not in its scope.
    ScopeUncheckedOnPull,
    /// The relay numbers what its author may not write.
    ScopeUncheckedOnPush,
    /// What is pushed again is refused.
    PushNotIdempotent,
    /// A request that was signed once is taken twice.
    ReplayTaken,
    /// What belongs into the inbox is thrown away.
    InboxLost,
    /// What a desk discards is deleted.
    DiscardDeletes,
    /// Anybody settles what lies in an inbox.
    SettleUnchecked,
    /// The relay numbers a place and lets the document live where it did.
    PlaceIgnored,
    /// A device never gets its own work back.
    OwnNotReturned,
    /// No change passes the gate before it is applied.
    NoGate,
    /// The cursor moves past a page that was not applied.
    PageSkipped,
    /// What was sent once counts as received.
    SentCountsAsReceived,
    /// Digests are never compared.
    DigestIgnored,
    /// Two copies of a device go on writing as one.
    NewLifeIgnored,
    /// A device keeps what is somebody else's now.
    LetGoIgnored,
    /// A relay tells that the levels above have what it has not told them.
    WatermarkAhead,
    /// A device calls safe what a level above has without a number.
    NamedCalledSafe,
    /// A device believes what was said of positions in a log that was put back.
    OldWatermarksKept,
    /// A relay believes a receipt whose answer has not ended.
    NotedBeforeTheEnd,
    /// A relay does not tell again what a relay above that was put back has lost.
    LostAboveIgnored,
    /// What the relay above refused once is never told again.
    RefusedForGood,
    /// What lies in a relay's inbox does not go up.
    InboxStaysBelow,
    /// A relay does not hand up the orders it signed.
    OrdersStayBelow,
    /// What goes up counts as received first where it arrives.
    OriginLost,
    /// A relay below is sent what is not in its areas.
    ScopeUncheckedBelow,
    /// Who read a grant is not told that its areas were taken away.
    TakenAwayUnread,
}

impl Sabotage {
    /// Every variant.
    pub const ALL: [Sabotage; 31] = [
        Sabotage::ReceiptBeforeCommit,
        Sabotage::FullDiskSwallowed,
        Sabotage::CursorWithoutChain,
        Sabotage::WidenedIgnored,
        Sabotage::MovedInIgnored,
        Sabotage::ScopeUncheckedOnPull,
        Sabotage::ScopeUncheckedOnPush,
        Sabotage::PushNotIdempotent,
        Sabotage::ReplayTaken,
        Sabotage::InboxLost,
        Sabotage::DiscardDeletes,
        Sabotage::SettleUnchecked,
        Sabotage::PlaceIgnored,
        Sabotage::OwnNotReturned,
        Sabotage::NoGate,
        Sabotage::PageSkipped,
        Sabotage::SentCountsAsReceived,
        Sabotage::DigestIgnored,
        Sabotage::NewLifeIgnored,
        Sabotage::LetGoIgnored,
        Sabotage::WatermarkAhead,
        Sabotage::NamedCalledSafe,
        Sabotage::OldWatermarksKept,
        Sabotage::NotedBeforeTheEnd,
        Sabotage::LostAboveIgnored,
        Sabotage::RefusedForGood,
        Sabotage::InboxStaysBelow,
        Sabotage::OrdersStayBelow,
        Sabotage::OriginLost,
        Sabotage::ScopeUncheckedBelow,
        Sabotage::TakenAwayUnread,
    ];

    /// Returns whether this promise is broken on this thread.
    #[cfg(not(feature = "sabotage"))]
    #[inline]
    pub const fn is_on(self) -> bool {
        false
    }

    /// Returns whether this promise is broken on this thread.
    #[cfg(feature = "sabotage")]
    pub fn is_on(self) -> bool {
        ON.get() == Some(self)
    }
}

#[cfg(feature = "sabotage")]
thread_local! {
    static ON: std::cell::Cell<Option<Sabotage>> = const { std::cell::Cell::new(None) };
}

/// Breaks one promise on this thread, or none any more.
#[cfg(feature = "sabotage")]
pub fn switch(to: Option<Sabotage>) {
    ON.set(to);
}
