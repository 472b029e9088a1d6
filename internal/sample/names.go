package sample

// The lists are part of what a seed means: appending to them changes every sample.

var firstNames = []string{
	"Abril", "Agustín", "Agustina", "Alan", "Alejandro", "Alma", "Ana", "Andrés", "Antonella", "Ariana",
	"Axel", "Bautista", "Belén", "Benjamín", "Bianca", "Brenda", "Bruno", "Camila", "Candela", "Carla",
	"Carlos", "Catalina", "Cecilia", "Ciro", "Clara", "Constanza", "Cristian", "Damián", "Daniela", "Delfina",
	"Diego", "Dylan", "Elena", "Emanuel", "Emilia", "Emiliano", "Esteban", "Eugenia", "Ezequiel", "Facundo",
	"Federico", "Felipe", "Fernanda", "Florencia", "Franco", "Gabriel", "Gastón", "Gonzalo", "Guadalupe", "Guillermo",
	"Hernán", "Ignacio", "Inés", "Isabella", "Iván", "Jazmín", "Jerónimo", "Jimena", "Joaquín", "Jorge",
	"José", "Josefina", "Juan", "Julia", "Julián", "Juliana", "Julieta", "Lara", "Lautaro", "Leandro",
	"Leonel", "Lisandro", "Lorenzo", "Lucas", "Lucía", "Luciana", "Luis", "Luz", "Magdalena", "Maite",
	"Malena", "Manuel", "Marcos", "María", "Mariano", "Martín", "Martina", "Mateo", "Matías", "Máximo",
	"Melina", "Mía", "Micaela", "Miguel", "Milagros", "Morena", "Nahuel", "Natalia", "Nicolás", "Noelia",
	"Octavio", "Olivia", "Pablo", "Paloma", "Paula", "Pedro", "Pilar", "Rafael", "Ramiro", "Renata",
	"Rocío", "Rodrigo", "Romina", "Samuel", "Santiago", "Santino", "Sebastián", "Simón", "Sofía", "Tadeo",
	"Thiago", "Tomás", "Valentín", "Valentina", "Verónica", "Victoria", "Ximena", "Yamila", "Zoe", "Íñigo",
}

var lastNames = []string{
	"Acosta", "Acuña", "Aguirre", "Agüero", "Alonso", "Álvarez", "Andrade", "Aranda", "Arias", "Ávila",
	"Ayala", "Báez", "Barrera", "Barrios", "Benítez", "Blanco", "Bravo", "Bustos", "Cabrera", "Cáceres",
	"Campos", "Cardozo", "Carrizo", "Castillo", "Castro", "Chávez", "Cisneros", "Contreras", "Córdoba", "Coronel",
	"Correa", "Cruz", "Díaz", "Domínguez", "Duarte", "Escobar", "Espinoza", "Farías", "Fernández", "Ferreyra",
	"Figueroa", "Flores", "Franco", "Fuentes", "Galván", "García", "Giménez", "Godoy", "Gómez", "González",
	"Gutiérrez", "Guzmán", "Hernández", "Herrera", "Ibáñez", "Iglesias", "Juárez", "Lavagna", "Ledesma", "Leguizamón",
	"Leiva", "López", "Lucero", "Luna", "Maciel", "Maidana", "Maldonado", "Mamani", "Mansilla", "Martín",
	"Martínez", "Medina", "Méndez", "Mendoza", "Miranda", "Molina", "Montenegro", "Morales", "Moreno", "Moyano",
	"Muñoz", "Navarro", "Núñez", "Ñáñez", "Ojeda", "Olivera", "Oropeza", "Ortega", "Ortiz", "Páez",
	"Palacios", "Paz", "Peralta", "Pereyra", "Pérez", "Pinto", "Ponce", "Quinteros", "Quiroga", "Ramírez",
	"Ramos", "Reyes", "Ríos", "Rivero", "Robledo", "Rodríguez", "Rojas", "Roldán", "Romero", "Rosales",
	"Ruiz", "Salinas", "Sánchez", "Sandoval", "Santillán", "Silva", "Soria", "Sosa", "Soto", "Suárez",
	"Toledo", "Toranzo", "Torres", "Valdez", "Vallejos", "Vargas", "Vázquez", "Vega", "Velázquez", "Vera",
	"Vergara", "Vidal", "Villalba", "Villarreal", "Villegas", "Yáñez", "Zalazar", "Zamora", "Zárate", "Zúñiga",
}
