WORDS = {
    "optional": "opcional",
    "error": "Error",
    "answer.title": "¿Lo hemos resuelto?",
    "answer.lead": "Solo usted puede decir si está arreglado. Le llevará medio minuto.",
    "answer.you_said": "Usted escribió",
    "answer.we_did": "Lo que hemos hecho",
    "answer.earlier": "El {day} usted respondió: {verdict}. Aquí puede cambiar su respuesta.",
    "answer.confirm": "En nuestro correo eligió «{verdict}». "
    "Por favor, confírmelo con el botón al final de esta página.",
    "answer.rating": "¿Qué tal lo hemos atendido?",
    "answer.rating_low": "1 significa muy mal",
    "answer.rating_high": "5 significa muy bien",
    "answer.no_rating": "Sin nota",
    "answer.words": "¿Hay algo que debamos saber?",
    "answer.words_hint": "Hasta 5.000 caracteres. Por favor, no incluya contraseñas ni números "
    "de tarjeta.",
    "answer.question": "¿Está resuelto para usted?",
    "answer.solved": "Sí, está resuelto",
    "answer.not_solved": "No, no está resuelto",
    "answer.check": "Aún no se ha guardado nada. Por favor, revise lo que está marcado.",
    "answer.error_verdict": "Por favor, elija una de las dos respuestas.",
    "answer.error_rating": "Por favor, elija un número del 1 al 5, o sin nota.",
    "answer.error_words": "Su texto tiene {length} caracteres y caben 5.000. Por favor, acórtelo.",
    "thanks.title": "Muchas gracias",
    "thanks.saved": "Su respuesta se ha guardado.",
    "thanks.next": "Qué pasa ahora",
    "thanks.solved": "Nos alegra que esté resuelto. Cerramos su caso.",
    "thanks.solved_more": "Si vuelve a ocurrir, abra de nuevo el enlace de nuestro correo y "
    "díganoslo.",
    "thanks.not_solved": "Lo sentimos. Retomamos su caso y lo pasamos a un nivel superior.",
    "thanks.not_solved_more": "Le escribiremos en cuanto haya novedades.",
    "unsubscribe.title": "¿Dejar de recibir correos?",
    "unsubscribe.text": "{company} no volverá a escribirle sobre sus comentarios, a ninguna de "
    "sus direcciones.",
    "unsubscribe.still": "Lo que nos contó se conserva y seguimos trabajando en ello.",
    "unsubscribe.button": "No recibir más correos",
    "unsubscribe.again": "Todavía no ha cambiado nada. Por favor, use el botón.",
    "unsubscribed.title": "No recibirá más correos",
    "unsubscribed.text": "A partir de ahora, {company} no le escribirá sobre sus comentarios.",
    "unsubscribed.on_its_way": "En este mismo momento se estaba entregando un mensaje y es "
    "posible que aún le llegue. Es el último.",
    "notice.home.title": "Aquí no hay nada que ver",
    "notice.home.text": "Los enlaces de nuestros correos llevan a las páginas que son para usted.",
    "notice.unknown.title": "Este enlace no lleva a ninguna parte",
    "notice.unknown.text": "Quizá su programa de correo lo ha cortado. Por favor, copie el enlace "
    "completo del correo e inténtelo de nuevo.",
    "notice.expired.title": "Este enlace ya no es válido",
    "notice.expired.text": "Los enlaces de nuestros correos funcionan por tiempo limitado. Si hay "
    "algo que debamos saber, póngase en contacto con {company} directamente.",
    "notice.outdated.title": "Esta pregunta ya no está vigente",
    "notice.outdated.text": "Su caso ha avanzado desde este correo. Nuestro correo más reciente "
    "contiene un enlace válido.",
    "notice.ended.title": "Ya no hay nada que responder",
    "notice.ended.text": "Este caso ha terminado. Si hay algo que debamos saber, póngase en "
    "contacto con {company} directamente.",
    "notice.handed_over.title": "Este caso lo llevan ahora otras personas",
    "notice.handed_over.text": "Desde este correo se ha pasado a otro departamento, o usted ya no "
    "pertenece a él. No tiene que hacer nada más.",
    "notice.not_approver.title": "Ahora son otras personas quienes aprueban",
    "notice.not_approver.text": "El archivo de la empresa ya no le nombra para aprobar "
    "mensajes. No tiene que hacer nada más.",
    "notice.unreadable.title": "No se ha podido leer",
    "notice.unreadable.text": "No se ha guardado nada. Por favor, vuelva atrás e inténtelo de "
    "nuevo.",
    "notice.too_long.title": "Es demasiado de una vez",
    "notice.too_long.text": "No se ha guardado nada. Por favor, vuelva atrás y acorte su texto.",
    "notice.too_many.title": "Un momento, por favor",
    "notice.too_many.text": "Ha habido demasiados intentos en poco tiempo. Por favor, espere un "
    "minuto e inténtelo de nuevo.",
    "notice.busy.title": "Ahora mismo se está anotando otra cosa",
    "notice.busy.text": "No se ha guardado nada. Por favor, inténtelo de nuevo en un momento.",
    "notice.broken.title": "Algo ha fallado por nuestra parte",
    "notice.broken.text": "No se ha guardado nada. Por favor, inténtelo de nuevo dentro de unos "
    "minutos.",
}
