WORDS = {
    "optional": "optional",
    "error": "Error",
    # The answer page
    "answer.title": "Did we solve it?",
    "answer.lead": "Only you can say whether it is settled. It takes half a minute.",
    "answer.you_said": "You wrote",
    "answer.we_did": "What we did",
    "answer.earlier": "On {day} you answered: {verdict}. You can change your answer here.",
    "answer.confirm": "You chose “{verdict}” in our mail. "
    "Please confirm it with the button at the end of this page.",
    "answer.rating": "How well did we handle it?",
    "answer.rating_low": "1 is very badly",
    "answer.rating_high": "5 is very well",
    "answer.no_rating": "No rating",
    "answer.words": "Is there anything that we should know?",
    "answer.words_hint": "Up to 5,000 characters. Please leave out passwords and card numbers.",
    "answer.question": "Is it solved for you?",
    "answer.solved": "Yes, it is solved",
    "answer.not_solved": "No, not solved",
    "answer.check": "Nothing was saved yet. Please look at what is marked below.",
    "answer.error_verdict": "Please choose one of the two answers.",
    "answer.error_rating": "Please choose a number from 1 to 5, or no rating.",
    "answer.error_words": "Your text has {length} characters; 5,000 fit. Please shorten it.",
    # After an answer
    "thanks.title": "Thank you",
    "thanks.saved": "Your answer is saved.",
    "thanks.next": "What happens next",
    "thanks.solved": "We are glad that it is solved, and close your case.",
    "thanks.solved_more": "Should it come back, open the link in our mail again and tell us.",
    "thanks.not_solved": "We are sorry. Your case goes back to work, and one level up.",
    "thanks.not_solved_more": "You will hear from us when there is something new.",
    # Unsubscribing
    "unsubscribe.title": "Stop our mails?",
    "unsubscribe.text": "{company} will no longer write to you about your feedback, at any "
    "of your addresses.",
    "unsubscribe.still": "What you told us stays with us and is still worked on.",
    "unsubscribe.button": "Stop the mails",
    "unsubscribe.again": "Nothing has changed yet. Please use the button.",
    "unsubscribed.title": "You will get no more mails",
    "unsubscribed.text": "From now on {company} does not write to you about your feedback.",
    "unsubscribed.on_its_way": "One message was being handed over at this very moment and may "
    "still reach you. It is the last one.",
    # Pages that have nothing to show
    "notice.home.title": "Nothing to see here",
    "notice.home.text": "The links in our mails lead to the pages that are meant for you.",
    "notice.unknown.title": "This link leads nowhere",
    "notice.unknown.text": "Perhaps your mail program cut it short. Please copy the whole link "
    "from the mail and try again.",
    "notice.expired.title": "This link is no longer valid",
    "notice.expired.text": "Links in our mails work for a limited time. If there is something "
    "that we should know, please get in touch with {company} directly.",
    "notice.outdated.title": "This question is no longer current",
    "notice.outdated.text": "Your case has moved on since this mail. The newest mail from us "
    "has a link that works.",
    "notice.ended.title": "There is nothing left to answer",
    "notice.ended.text": "This case has ended. If there is something that we should know, "
    "please get in touch with {company} directly.",
    "notice.handed_over.title": "This ticket is with others now",
    "notice.handed_over.text": "It was handed to another department since this mail, or you are "
    "no longer one of its people. Nothing is left for you to do.",
    "notice.not_approver.title": "Others approve messages now",
    "notice.not_approver.text": "The company file does not name you as an approver any more. "
    "Nothing is left for you to do.",
    "notice.unreadable.title": "That could not be read",
    "notice.unreadable.text": "Nothing was saved. Please go back and try again.",
    "notice.too_long.title": "That is too much at once",
    "notice.too_long.text": "Nothing was saved. Please go back and shorten your text.",
    "notice.too_many.title": "One moment, please",
    "notice.too_many.text": "There were too many tries in a short time. Please wait a minute "
    "and try again.",
    "notice.busy.title": "The books are busy",
    "notice.busy.text": "Nothing was saved. Please try again in a moment.",
    "notice.broken.title": "Something went wrong on our side",
    "notice.broken.text": "Nothing was saved. Please try again in a few minutes.",
}
